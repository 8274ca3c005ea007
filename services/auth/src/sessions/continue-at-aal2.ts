import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { raiseSession, findSessionWithUser } from '../store/sessions.ts'
import { newUuid } from '../uuid.ts'
import type { Visit } from '../visit.ts'
import { type SessionJson, toSessionJson } from './access-token.ts'
import { encodeRefreshToken, hashSecret } from './refresh-token.ts'
import type { Method } from './start-session.ts'

type Continuation = {
  readonly sessionId: string
  readonly factorId: string
  readonly method: Method
  readonly visit: Visit
}

/**
 * Raises the session of somebody who has just proved a second factor to aal2, and answers with its new tokens. Refresh
 * tokens from before lead nowhere: whoever has one has proved less.
 */
export async function continueAtAal2(
  deps: AuthDeps,
  tx: Queries,
  { sessionId, factorId, method, visit }: Continuation,
): Promise<SessionJson> {
  const secret = deps.randomBytes(16)
  const tokenHash = hashSecret(secret)
  const counter = await raiseSession(tx, { sessionId, factorId, method, amrId: newUuid(deps), tokenHash })
  const found = await findSessionWithUser(tx, sessionId)
  if (counter === undefined || found === undefined) throw errors.sessionOfTokenNotFound()
  return toSessionJson(
    deps,
    { ...found, refreshToken: encodeRefreshToken({ sessionId, counter, secret }) },
    { tx, address: visit.address },
  )
}
