import type { AuthDeps } from '../deps.ts'
import type { HookCall } from '../hooks/hooks.ts'
import type { SessionRow } from '../store/sessions.ts'
import type { UserRow } from '../store/users.ts'
import { toUserJson } from '../user.ts'

/** What of a session is told in its access tokens. */
export type SessionFacts = Pick<SessionRow, 'id' | 'aal' | 'amr'>

/** A session as every SDK decodes it (RFC 6749 §5.1 and the user). */
export type SessionJson = {
  readonly access_token: string
  readonly token_type: 'bearer'
  readonly expires_in: number
  readonly expires_at: number
  readonly refresh_token: string
  readonly user: Record<string, unknown>
}

type Facts = {
  readonly user: UserRow
  readonly session: SessionFacts
  readonly refreshToken: string
  /** What led to this token, for the hook; how the session was proved last if not given. */
  readonly method?: string
}

/** Signs an access token, with the claims that the hook wants, and puts it together with the refresh token. */
export async function toSessionJson(
  deps: AuthDeps,
  { user, session, refreshToken, method = session.amr[0]?.method ?? '' }: Facts,
  call: HookCall,
): Promise<SessionJson> {
  const { clock, options, signer, hooks } = deps
  const issuedAt = Math.floor(clock.now() / 1000)
  const expiresIn = Math.floor(options.jwtExpiry / 1000)
  const claims = {
    iss: options.jwtIssuer ?? `${deps.apiUrl()}/auth/v1`,
    sub: user.id,
    aud: user.aud ?? 'authenticated',
    exp: issuedAt + expiresIn,
    iat: issuedAt,
    email: user.email ?? '',
    phone: user.phone ?? '',
    app_metadata: user.raw_app_meta_data ?? {},
    user_metadata: user.raw_user_meta_data ?? {},
    role: user.role ?? 'authenticated',
    aal: session.aal ?? 'aal1',
    amr: session.amr,
    session_id: session.id,
    is_anonymous: user.is_anonymous,
  }
  const input = { user_id: user.id, claims, authentication_method: method }
  const signed = hooks.customAccessToken === undefined ? claims : await hooks.customAccessToken(input, call)
  return {
    access_token: await signer.sign(signed),
    token_type: 'bearer',
    expires_in: expiresIn,
    expires_at: issuedAt + expiresIn,
    refresh_token: refreshToken,
    user: toUserJson(user),
  }
}
