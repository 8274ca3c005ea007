import { errors } from '../errors.ts'
import { hasVerifiedFactor } from '../user.ts'
import type { SignedInVisit } from '../visit.ts'

/**
 * Between password and second factor a session can do nothing but prove more.
 *
 * @throws when the user has a verified factor, and the session has not proved one
 */
export function mustBeHighest({ user, session }: Pick<SignedInVisit, 'user' | 'session'>): void {
  if (hasVerifiedFactor(user) && session?.aal !== 'aal2') throw errors.insufficientAal()
}
