import { type AttestationClaim, toClaim } from '../attestation/attested.ts'
import type { AuthDeps } from '../deps.ts'
import type { HookCall } from '../hooks/hooks.ts'
import type { SessionRow } from '../store/sessions.ts'
import type { UserRow } from '../store/users.ts'
import { toUserJson } from '../user.ts'
import { endsMs } from './session-state.ts'

/** What of a session is told in its access tokens. */
export type SessionFacts = Pick<SessionRow, 'id' | 'aal' | 'amr' | 'created_at' | 'not_after' | 'provider_proof'> & {
  readonly attestation?: AttestationClaim | null
}

/** An access token as it is sent (RFC 6749 §5.1). */
export type AccessTokenJson = {
  readonly access_token: string
  readonly token_type: 'bearer'
  readonly expires_in: number
  readonly expires_at: number
}

/** A session as every SDK decodes it. */
export type SessionJson = AccessTokenJson & {
  readonly refresh_token: string
  readonly user: Record<string, unknown>
}

type Facts = {
  readonly user: UserRow
  readonly session: SessionFacts
  /** What led to this token, for the hook; how the session was proved last if not given. */
  readonly method?: string
  /** When the token ends at the latest, seconds since the epoch. */
  readonly expMax?: number
}

/** Signs an access token and puts it together with the refresh token. */
export async function toSessionJson(
  deps: AuthDeps,
  { refreshToken, ...facts }: Facts & { readonly refreshToken: string },
  call: HookCall,
): Promise<SessionJson> {
  const token = await toAccessTokenJson(deps, facts, call)
  return { ...token, refresh_token: refreshToken, user: toUserJson(facts.user) }
}

/** Signs an access token, which does not outlive its session, with the claims that the hook wants. */
export async function toAccessTokenJson(
  deps: AuthDeps,
  { user, session, method = session.amr[0]?.method ?? '', expMax = Number.POSITIVE_INFINITY }: Facts,
  call: HookCall,
): Promise<AccessTokenJson> {
  const { clock, options, signer, hooks } = deps
  const nowMs = clock.now()
  const issuedAt = Math.floor(nowMs / 1000)
  const lifeMs = Math.min(options.jwtExpiry, endsMs(session, options, nowMs) - nowMs)
  const expiresIn = Math.max(1, Math.min(Math.floor(lifeMs / 1000), expMax - issuedAt))
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
    ...toClaim(session.attestation, issuedAt + expiresIn),
    ...(session.provider_proof !== null && { provider_proof: session.provider_proof }),
  }
  const input = { user_id: user.id, claims, authentication_method: method }
  const signed = hooks.customAccessToken === undefined ? claims : await hooks.customAccessToken(input, call)
  return {
    access_token: await signer.sign(signed),
    token_type: 'bearer',
    expires_in: expiresIn,
    expires_at: issuedAt + expiresIn,
  }
}
