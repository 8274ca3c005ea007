import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Attempt } from '../limits/limits.ts'
import type { ProviderProof } from '../providers/provider-proof.ts'
import { toPayload } from '../store/audit-log.ts'
import { deleteSessions, insertSession } from '../store/sessions.ts'
import type { UserRow } from '../store/users.ts'
import { newUuid } from '../uuid.ts'
import type { Visit } from '../visit.ts'
import { type SessionJson, toSessionJson } from './access-token.ts'
import { encodeRefreshToken, hashSecret } from './refresh-token.ts'

/** How somebody proved who they are: one entry of claim `amr`. */
export type Method =
  | 'password'
  | 'otp'
  | 'oauth'
  | 'totp'
  | 'recovery'
  | 'invite'
  | 'magiclink'
  | 'email/signup'
  | 'email_change'
  | 'token_refresh'
  | 'anonymous'
  | 'mfa/phone'
  | 'mfa/webauthn'
  | 'passkey'
  | 'recovery_code'

export type Start = {
  readonly user: Pick<UserRow, 'id' | 'email' | 'phone' | 'is_sso_user' | 'raw_app_meta_data' | 'raw_user_meta_data'>
  readonly method: Method
  readonly visit: Visit
  /** What the provider says that vouches for them. */
  readonly providerProof?: ProviderProof
  /** A new hash of the password, where the one that is stored is outdated. */
  readonly passwordHash?: string
  /** An attempt that was right, where nothing comes after it that others would wait for. */
  readonly attempt?: Attempt
}

/** Begins a session of a user who has just proved who they are, and answers with its first tokens. */
export async function startSession(deps: AuthDeps, tx: Queries, start: Start): Promise<SessionJson> {
  const { randomBytes, clock, limits, options } = deps
  const { user, method, visit, providerProof, passwordHash, attempt } = start
  const { address, userAgent } = visit
  const id = newUuid(deps)
  const secret = randomBytes(16)
  if (options.singleSessionPerUser) await deleteSessions(tx, { userId: user.id })
  const provider = user.raw_app_meta_data?.['provider']
  const signedIn = await insertSession(tx, {
    id,
    userId: user.id,
    method,
    userAgent,
    address,
    tokenKey: randomBytes(32).toString('base64url'),
    tokenHash: hashSecret(secret),
    payload: toPayload({ action: 'login', actor: user, address, traits: { provider } }),
    providerProof,
    passwordHash,
    attempt: attempt && limits.rowOf(attempt),
  })
  if (signedIn === undefined) throw errors.userOfTokenNotFound()
  const nowMs = clock.now()
  const amr = [{ method, timestamp: Math.floor(nowMs / 1000) }]
  const begun = { created_at: new Date(nowMs), not_after: null, provider_proof: providerProof ?? null }
  const session = { id, aal: 'aal1', amr, ...begun } as const
  const refreshToken = encodeRefreshToken({ sessionId: id, counter: 0, secret })
  return toSessionJson(deps, { user: signedIn, session, refreshToken }, { tx, address })
}
