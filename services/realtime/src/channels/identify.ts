import { Refusal } from '@pando/core/refusal'
import type { Identity, RealtimeDeps } from '../deps.ts'
import type { Client } from '../sockets/client.ts'
import { JoinRejection } from './join-rejection.ts'

/**
 * Who a channel is joined as: the user's token, or whoever opened the socket where there is none (or only a key); who
 * they are is asked anew, because a socket lives longer than tokens and sessions.
 */
export async function identify(
  { authenticate, clock }: Pick<RealtimeDeps, 'authenticate' | 'clock'>,
  client: Client,
  given: string | undefined,
): Promise<Identity> {
  const token = given?.startsWith('sb_') === true ? undefined : given
  try {
    const caller = await authenticate(token === undefined ? client.credentials : { authorization: `Bearer ${token}` })
    const { exp } = caller.claims
    if (exp === undefined && token !== undefined)
      throw new JoinRejection('InvalidJWTToken', 'Fields `role` and `exp` are required in JWT')
    return { caller, token, expiresAt: exp }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const expiresAt =
      error.code !== 'token.expired' ? 0 : token === undefined ? client.caller.claims.exp! : expiryOf(token)
    throw toRejection(error, expiredText(expiresAt, clock.now()))
  }
}

function toRejection({ code, message }: Refusal, expired: string): JoinRejection {
  if (code === 'token.expired') return new JoinRejection('InvalidJWTToken', expired)
  if (code === 'token.malformed') return new JoinRejection('MalformedJWT', 'The token provided is not a valid JWT')
  if (code === 'token.keys_unavailable') return new JoinRejection('JwtSignerError', message)
  if (code === 'token.claims') return new JoinRejection('InvalidJWTToken', message)
  return new JoinRejection('JwtSignatureError', 'Failed to validate JWT signature')
}

export const expiredText = (expiresAt: number, nowMs: number): string =>
  `Token has expired ${Math.max(0, Math.floor(nowMs / 1000 - expiresAt))} seconds ago`

/** Of a token that was read already. */
function expiryOf(token: string): number {
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { exp: number }
  return exp
}
