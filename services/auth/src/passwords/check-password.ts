import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Attempt } from '../limits/limits.ts'
import { deleteSessions } from '../store/sessions.ts'
import type { UserKey, UserRow } from '../store/users.ts'
import type { Visit } from '../visit.ts'

/** What is counted: attempts at an account, or at an address that has none, so that both wait alike. */
export function toAttempt(visit: Visit, user: UserRow | undefined, key: UserKey): Attempt {
  const account = user?.id ?? JSON.stringify(key)
  return { secret: 'password', account, address: visit.address }
}

/**
 * Checks a password once the account may be tried, and asks the hook about accounts that exist. It takes as long when
 * there is no account. `outdated` says that the hash should be made anew.
 *
 * @throws over_request_rate_limit, invalid_credentials
 */
export async function checkPassword(
  deps: AuthDeps,
  visit: Visit,
  {
    user,
    attempt,
    password,
  }: { readonly user: UserRow | undefined; readonly attempt: Attempt; readonly password: string },
): Promise<{ readonly user: UserRow; readonly outdated: boolean }> {
  await deps.limits.begin(attempt)
  const { ok, outdated } = await deps.passwords.verify(password, user?.encrypted_password || undefined)
  if (user === undefined) throw errors.invalidCredentials()
  await askHook(deps, visit, { user, valid: ok })
  if (!ok) throw errors.invalidCredentials()
  return { user, outdated }
}

async function askHook(
  { hooks, database }: AuthDeps,
  { address }: Visit,
  { user, valid }: { readonly user: UserRow; readonly valid: boolean },
): Promise<void> {
  const answer = await hooks.passwordVerificationAttempt?.({ user_id: user.id, valid }, { address })
  if (answer?.decision !== 'reject') return
  if (answer.shouldLogout) await deleteSessions(database, { userId: user.id })
  throw errors.passwordRejected(answer.message)
}
