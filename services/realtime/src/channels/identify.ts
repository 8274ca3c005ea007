import { Refusal } from '@pando/core/refusal'
import type { Identity, RealtimeDeps } from '../deps.ts'
import type { Client } from '../sockets/client.ts'
import { JoinRejection } from './join-rejection.ts'

/** Who a channel is joined as: the user's token, or whoever opened the socket where there is none (or only a key). */
export async function identify(
  { authenticate, clock }: Pick<RealtimeDeps, 'authenticate' | 'clock'>,
  client: Client,
  token: string | undefined,
): Promise<Identity> {
  if (token === undefined || token.startsWith('sb_')) {
    return { caller: client.caller, token: undefined, expiresAt: client.caller.claims.exp }
  }
  try {
    const caller = await authenticate({ authorization: `Bearer ${token}` })
    const { exp } = caller.claims
    if (exp === undefined) throw new JoinRejection('InvalidJWTToken', 'Fields `role` and `exp` are required in JWT')
    return { caller, token, expiresAt: exp }
  } catch (error) {
    throw error instanceof Refusal ? toRejection(error, token, clock.now()) : error
  }
}

function toRejection({ code, message }: Refusal, token: string, nowMs: number): JoinRejection {
  if (code === 'token.expired') return new JoinRejection('InvalidJWTToken', expiredText(expiryOf(token), nowMs))
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
