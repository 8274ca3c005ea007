import type { AuthDeps } from '../deps.ts'
import type { Notice } from '../messages.ts'
import type { SignedInVisit } from '../visit.ts'

/** A mail to the owner about a factor that came or went; who has no address hears nothing. */
export function tellOwner(
  { sendNotice }: AuthDeps,
  { user, headers }: SignedInVisit,
  notice: Pick<Notice, 'kind' | 'factorType'>,
): void {
  if (user.email === null) return
  sendNotice({ ...notice, to: user.email, user, acceptLanguage: headers['accept-language'] })
}
