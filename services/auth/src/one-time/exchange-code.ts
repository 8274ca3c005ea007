import type { BodyOf, Types } from '@pando/http/shape'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { isVerifiedBy } from '../pkce.ts'
import { claimIdentity } from '../providers/claim-identity.ts'
import { tellLinked } from '../providers/link-identity.ts'
import type { Answer } from '../route.ts'
import { type Method, startSession } from '../sessions/start-session.ts'
import { type FlowStateRow, takeFlowState } from '../store/flow-states.ts'
import { findUser } from '../store/users.ts'
import { isBanned } from '../user.ts'
import type { Visit } from '../visit.ts'
import { hashLongSecret } from './secrets.ts'

export const pkceGrantBody = (Type: Types) =>
  Type.Object({
    auth_code: Type.Optional(Type.String({ maxLength: 200 })),
    code_verifier: Type.Optional(Type.String({ maxLength: 200 })),
  })

/** How long after it was given out a code can be exchanged; RFC 6749 §4.1.2 wants ten minutes at most. */
const codeMsMax = 300_000

/**
 * `POST /token?grant_type=pkce`: the session for a code that came back in a redirect. The code is used up whoever
 * brings it: a wrong verifier means that it has leaked.
 */
export async function exchangeCode(
  deps: AuthDeps,
  visit: Visit,
  { auth_code: code, code_verifier: verifier }: BodyOf<typeof pkceGrantBody>,
): Promise<Answer> {
  const { database, clock } = deps
  if (!code || !verifier) throw errors.invalid('invalid request: both auth code and code verifier should be non-empty')
  const flow = await takeFlowState(database, hashLongSecret(code))
  if (flow === undefined) throw errors.flowNotFound()
  const issuedAt = flow.auth_code_issued_at ?? flow.created_at
  if (clock.now() - issuedAt.getTime() > codeMsMax) throw errors.flowExpired()
  if (!isBegunBy(flow, verifier)) throw errors.badCodeVerifier()
  const { session, linked } = await database.transaction(async (tx) => {
    const user = await findUser(tx, { id: flow.user_id! })
    if (user === undefined) throw errors.flowNotFound()
    if (isBanned(user, clock.now())) throw errors.userBannedNow()
    const owner = await claimIdentity(deps, tx, { flow, visit })
    const method = flow.authentication_method as Method
    const providerProof = flow.provider_proof ?? undefined
    const session = await startSession(deps, tx, { user: owner ?? user, method, visit, providerProof })
    return { session, linked: owner }
  })
  if (linked !== undefined) await tellLinked(deps, linked, { provider: flow.provider_type, visit })
  const { provider_access_token: token, provider_refresh_token: refreshToken } = flow
  return {
    status: 200,
    body: {
      ...session,
      ...(token === null ? {} : { provider_token: token }),
      ...(refreshToken === null ? {} : { provider_refresh_token: refreshToken }),
    },
  }
}

function isBegunBy(
  { code_challenge: challenge, code_challenge_method: method }: FlowStateRow,
  verifier: string,
): boolean {
  return challenge !== null && method !== null && isVerifiedBy({ challenge, method }, verifier)
}
