import type { AuthOptions } from '../config.ts'
import { isProven } from '../ownership.ts'
import type { UserRow } from '../store/users.ts'
import type { Profile } from './profile.ts'

/** Somebody stands at the door with an identity; the two accounts that it may be about were looked up. */
export type Arrival = {
  readonly profile: Pick<Profile, 'email' | 'emailVerified'>
  /** Who has this very identity. */
  readonly owner: UserRow | undefined
  /** Who has the address that the provider told, but not the identity. */
  readonly holder: UserRow | undefined
  readonly emailOptional: boolean
}

/**
 * What is done:
 * - `return`: the owner comes back;
 * - `own`: the owner shows for the first time that the address is theirs, so that nobody else's credential stays;
 * - `link`: the holder, who has shown that the address is theirs, gets another way in;
 * - `take-over`: nobody had shown that; whoever does now gets the account, and nobody else's credential stays;
 * - `create`: a new account, with a proven address or with none; `create-bare` is without the told address;
 * - `create-unproven`: a new account whose address is taken as it is told, as sign-ups are where nothing is confirmed;
 * - `confirm`, `create-and-confirm`: the address has to be confirmed by mail first, of the owner or a new account;
 * - `refuse-unverified`, `refuse-without-email`, `refuse-new`.
 */
export type Admission =
  | 'return'
  | 'own'
  | 'link'
  | 'take-over'
  | 'create'
  | 'create-bare'
  | 'create-unproven'
  | 'confirm'
  | 'create-and-confirm'
  | 'refuse-unverified'
  | 'refuse-without-email'
  | 'refuse-new'

type Rules = Pick<AuthOptions, 'signupEnabled' | 'emailConfirmations'>

/**
 * Decides by the identity, then by an address that both sides have verified; an unverified address never opens
 * anything.
 */
export function decideAdmission(arrival: Arrival, rules: Rules): Admission {
  if (arrival.owner !== undefined) return decideReturn(arrival.owner, arrival.profile, rules)
  const admission = decideNew(arrival, rules)
  const isNew = admission.startsWith('create') || admission === 'refuse-unverified'
  return isNew && !rules.signupEnabled ? 'refuse-new' : admission
}

function decideReturn(owner: UserRow, profile: Arrival['profile'], { emailConfirmations }: Rules): Admission {
  if (owner.email === null || isProven(owner, 'email')) return 'return'
  if (profile.emailVerified && profile.email === owner.email) return 'own'
  return emailConfirmations && owner.email_confirmed_at === null ? 'confirm' : 'return'
}

function decideNew({ profile, holder, emailOptional }: Arrival, { emailConfirmations }: Rules): Admission {
  if (profile.email === undefined) return emailOptional ? 'create-bare' : 'refuse-without-email'
  if (profile.emailVerified) {
    if (holder === undefined) return 'create'
    return isProven(holder, 'email') ? 'link' : 'take-over'
  }
  if (holder !== undefined) return emailOptional ? 'create-bare' : 'refuse-unverified'
  return emailConfirmations ? 'create-and-confirm' : 'create-unproven'
}
