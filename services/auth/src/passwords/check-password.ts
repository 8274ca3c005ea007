import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Attempt } from '../limits/limits.ts'
import type { AccountRow } from '../limits/store.ts'
import { deleteSessions } from '../store/sessions.ts'
import type { UserKey, UserRow } from '../store/users.ts'
import type { Visit } from '../visit.ts'

/** What is counted, once it is known whose account it is. */
export function toAttempt(visit: Visit, user: Pick<UserRow, 'id'>): Attempt {
  return { secret: 'password', account: user.id, address: visit.address }
}

type Tried = { readonly key: UserKey; readonly password: string }

/**
 * Checks the password of an address once it may be tried, and asks the hook about accounts that exist. It takes as long
 * when there is no account. `outdated` says that the hash should be made anew.
 *
 * @throws over_request_rate_limit, invalid_credentials
 */
export async function checkPassword(
  deps: AuthDeps,
  visit: Visit,
  { key, password }: Tried,
): Promise<{ readonly user: AccountRow; readonly outdated: boolean }> {
  const user = await deps.limits.beginSignIn(key, visit.address)
  const { ok, outdated } = await deps.passwords.verify(password, user?.encrypted_password || undefined)
  if (user === undefined) throw errors.invalidCredentials()
  await askHook(deps, visit, { user, valid: ok })
  if (!ok) throw errors.invalidCredentials()
  return { user, outdated }
}

async function askHook(
  { hooks, database }: AuthDeps,
  { address }: Visit,
  { user, valid }: { readonly user: AccountRow; readonly valid: boolean },
): Promise<void> {
  const answer = await hooks.passwordVerificationAttempt?.({ user_id: user.id, valid }, { address })
  if (answer?.decision !== 'reject') return
  if (answer.shouldLogout) await deleteSessions(database, { userId: user.id })
  throw errors.passwordRejected(answer.message)
}
