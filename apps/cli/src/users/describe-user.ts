import type { User } from './admin-api.ts'

/** How a person is called in a sentence. */
export const nameOf = ({ email, phone, id }: User): string => email || (phone && `+${phone}`) || id

export type UserState = 'banned' | 'anonymous' | 'invited' | 'unconfirmed' | 'active'

export function stateOf(user: User, now: Date): UserState {
  if (user.banned_until !== undefined && new Date(user.banned_until) > now) return 'banned'
  if (user.is_anonymous) return 'anonymous'
  if (user.confirmed_at !== undefined) return 'active'
  return user.invited_at === undefined ? 'unconfirmed' : 'invited'
}

/** The role that policies of the app may ask for, see `pando users make-admin`. */
export const appRoleOf = ({ app_metadata: { role } }: User): string => (typeof role === 'string' ? role : '')
