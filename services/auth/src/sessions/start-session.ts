import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { deleteSessions, insertSession } from '../store/sessions.ts'
import { findUser, type UserRow } from '../store/users.ts'
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

/** Begins a session of a user who has just proved who they are, and answers with its first tokens. */
export async function startSession(
  deps: AuthDeps,
  tx: Queries,
  { user, method, visit }: { user: UserRow; method: Method; visit: Visit },
): Promise<SessionJson> {
  const { randomBytes, clock } = deps
  const id = newUuid(deps)
  const secret = randomBytes(16)
  if (deps.options.singleSessionPerUser) await deleteSessions(tx, { userId: user.id })
  await insertSession(tx, {
    id,
    userId: user.id,
    method,
    amrId: newUuid(deps),
    aal: 'aal1',
    userAgent: visit.userAgent,
    address: visit.address,
    tokenKey: randomBytes(32).toString('base64url'),
    tokenHash: hashSecret(secret),
  })
  const provider = user.raw_app_meta_data?.['provider']
  await insertAuditEvent(tx, { action: 'login', actor: user, address: visit.address, traits: { provider } })
  const signedIn = (await findUser(tx, { id: user.id })) ?? user
  const nowMs = clock.now()
  const amr = [{ method, timestamp: Math.floor(nowMs / 1000) }]
  const session = { id, aal: 'aal1', amr, created_at: new Date(nowMs), not_after: null } as const
  const refreshToken = encodeRefreshToken({ sessionId: id, counter: 0, secret })
  const call = { tx, address: visit.address }
  return toSessionJson(deps, { user: signedIn, session, refreshToken }, call)
}
