import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import type { Mail } from '../messages.ts'
import type { CodeChallenge } from '../pkce.ts'
import { toRedirect } from '../redirect.ts'
import { deleteIdleFlows, insertFlowState } from '../store/flow-states.ts'
import type { TokenKind } from '../store/one-time-tokens.ts'
import type { UserRow } from '../store/users.ts'
import { newUuid } from '../uuid.ts'
import type { Visit } from '../visit.ts'
import { issueToken } from './issue-token.ts'
import { flowMethods, mailKinds, type MailPurpose, toMailLimits } from './purposes.ts'

/** Purposes that a link can serve; a reauthentication is a code alone. */
export type LinkPurpose = Exclude<MailPurpose, 'reauthentication'>

export type Letter = {
  readonly user: UserRow
  readonly purpose: LinkPurpose
  readonly to: string
  readonly visit: Visit
  readonly kind?: TokenKind
  readonly flowId?: string
  readonly newEmail?: string
}

/** Writes a mail with a new code and link. Send it when the transaction has committed. */
export async function writeMail(deps: AuthDeps, tx: Queries, letter: Letter): Promise<Mail> {
  const { user, purpose, to, visit, kind, flowId, newEmail } = letter
  const limits = toMailLimits(deps.options)
  const issued = await issueToken(deps, tx, { userId: user.id, purpose, address: to, ...limits, kind, flowId })
  const redirectTo = redirectOf(deps, visit)
  return {
    kind: mailKinds[purpose],
    to,
    user,
    ...issued,
    actionUrl: toActionUrl(deps, { tokenHash: issued.tokenHash, purpose, redirectTo }),
    redirectTo,
    newEmail,
    acceptLanguage: visit.headers['accept-language'],
  }
}

/** Where the app wants people to land: parameter or header `redirect_to`, if it is allowed. */
export function redirectOf({ options }: AuthDeps, { query, headers }: Visit): string {
  return toRedirect(query['redirect_to'] ?? headers['redirect_to']?.toString(), options)
}

/** The link of a mail. Its host is the configured one, whatever the request said. */
export function toActionUrl(
  { apiUrl }: AuthDeps,
  { tokenHash, purpose, redirectTo }: { tokenHash: string; purpose: LinkPurpose; redirectTo: string },
): string {
  const parameters = new URLSearchParams({ token: tokenHash, type: purpose, redirect_to: redirectTo })
  return `${apiUrl()}/auth/v1/verify?${parameters}`
}

/** Notes that an app waits for a code in exchange; undefined when it wants its tokens in the fragment. */
export async function openFlow(
  deps: AuthDeps,
  tx: Queries,
  { userId, purpose, challenge }: { userId: string; purpose: LinkPurpose; challenge: CodeChallenge | undefined },
): Promise<string | undefined> {
  if (challenge === undefined) return undefined
  const id = newUuid(deps)
  const method = flowMethods[purpose]
  await deleteIdleFlows(tx, userId, method)
  await insertFlowState(tx, { id, userId, challenge, providerType: method, method })
  return id
}
