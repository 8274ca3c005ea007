import type { BodyOf, Types } from '@pando/http/shape'
import type { AuthDeps } from './deps.ts'
import { errors } from './errors.ts'
import { exchangeCode, pkceGrantBody } from './one-time/exchange-code.ts'
import { idTokenGrantBody, signInWithIdToken } from './providers/sign-in-with-id-token.ts'
import type { Answer } from './route.ts'
import { refreshSession } from './sessions/refresh-session.ts'
import { passwordGrantBody, signInWithPassword } from './sign-in-with-password.ts'
import type { Visit } from './visit.ts'

export const tokenBody = (Type: Types) =>
  Type.Object({
    ...passwordGrantBody(Type).properties,
    ...idTokenGrantBody(Type).properties,
    ...pkceGrantBody(Type).properties,
    refresh_token: Type.Optional(Type.String({ maxLength: 1000 })),
  })
type TokenRequest = BodyOf<typeof tokenBody>

/** `POST /token?grant_type=…`: every way to get a session for a credential. */
export async function grantToken(deps: AuthDeps, visit: Visit, body: TokenRequest): Promise<Answer> {
  switch (visit.query['grant_type']) {
    case 'password':
      return signInWithPassword(deps, visit, body)
    case 'pkce':
      return exchangeCode(deps, visit, body)
    case 'id_token':
      return signInWithIdToken(deps, visit, body)
    case 'refresh_token':
      if (!body.refresh_token) throw errors.oauth('invalid_request', 'refresh_token required')
      return { status: 200, body: await refreshSession(deps, visit, body.refresh_token) }
    // Wallets are not part of Pando; this is how an installation that has them switched off says so.
    case 'web3':
      throw errors.web3Disabled()
    default:
      throw errors.unsupportedGrant()
  }
}
