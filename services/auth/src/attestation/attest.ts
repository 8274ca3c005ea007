import { Refusal } from '@pando/core/refusal'
import type { BodyOf, Types } from '@pando/http/shape'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { toAccessTokenJson } from '../sessions/access-token.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { findSessionWithUser, type SessionRow } from '../store/sessions.ts'
import { findUser } from '../store/users.ts'
import type { SignedInVisit } from '../visit.ts'
import type { AttestationClaim, Attested } from './attested.ts'
import { hashChallenge, mustHaveSession } from './begin-attestation.ts'
import { proveByAppAttest, proveByPlayIntegrity, type Prove } from './prove.ts'
import { attestSession, takeChallenge } from './store.ts'

export const attestBody = (Type: Types) => {
  const bytes = Type.Optional(Type.String({ maxLength: 65_536 }))
  return Type.Object({
    provider: Type.Union([Type.Literal('app_attest'), Type.Literal('play_integrity')]),
    challenge: Type.String({ maxLength: 100 }),
    key_id: Type.Optional(Type.String({ maxLength: 100 })),
    attestation: bytes,
    assertion: bytes,
    package_name: Type.Optional(Type.String({ maxLength: 300 })),
    token: bytes,
  })
}
export type AttestBody = BodyOf<typeof attestBody>

/**
 * `POST /attestation/verify`: the caller's session counts as attested for a while. The answer has an access token that
 * says so and ends when the caller's does, so that nobody gets more time by it; refreshing gives one as well.
 */
export async function attest(deps: AuthDeps, visit: SignedInVisit, body: AttestBody): Promise<Answer> {
  const { clock, options } = deps
  const session = mustHaveSession(visit)
  const prove = chooseProof(deps, body)
  await mustTakeChallenge(deps, session, body.challenge)
  try {
    const { attested, keep } = await prove(deps, visit.user)
    const attestation = toAttestation(attested, clock.now(), options.attestationExpiry)
    return await deps.database.transaction(async (tx) => {
      // Locked first, so that a user's keys are counted one after the other, and as who deletes the user does.
      const user = await findUser(tx, { id: visit.user.id }, { lock: true })
      if (user === undefined) throw errors.userOfTokenNotFound()
      await keep?.(tx)
      await attestSession(tx, { sessionId: session.id, attestation })
      const found = await findSessionWithUser(tx, session.id)
      if (found === undefined) throw errors.sessionOfTokenNotFound()
      const { attested_at: _at, expires_at: _end, ...traits } = attestation
      const event = { action: 'device_attested', actor: user, address: visit.address, traits } as const
      await insertAuditEvent(tx, event)
      const facts = { ...found, expMax: visit.caller.claims.exp }
      const token = await toAccessTokenJson(deps, facts, { tx, address: visit.address })
      return { status: 200, body: { ...token, attestation } }
    })
  } catch (error) {
    await noteRefusal(deps, visit, { provider: body.provider, error })
    throw error
  }
}

function chooseProof({ attestation }: AuthDeps, body: AttestBody): Prove {
  const { appAttest, playIntegrity } = attestation
  if (body.provider === 'app_attest' && appAttest !== undefined) return proveByAppAttest(appAttest, body)
  if (body.provider === 'play_integrity' && playIntegrity !== undefined)
    return proveByPlayIntegrity(playIntegrity, body)
  throw errors.attestationDisabled()
}

/** Takes the challenge, whatever its answer will be worth. */
async function mustTakeChallenge(
  { database, clock }: AuthDeps,
  { id: sessionId }: SessionRow,
  challenge: string,
): Promise<void> {
  const taken = await takeChallenge(database, { sessionId, hash: hashChallenge(challenge) })
  if (taken === undefined) throw errors.attestationChallengeNotFound()
  if (taken.expires_at.getTime() < clock.now()) throw errors.attestationChallengeExpired()
}

function toAttestation({ provider, appId, level }: Attested, nowMs: number, expiryMs: number): AttestationClaim {
  const [attestedAt, expiresAt] = [nowMs, nowMs + expiryMs].map((ms) => Math.floor(ms / 1000)) as [number, number]
  return { provider, app_id: appId, level, attested_at: attestedAt, expires_at: expiresAt }
}

type Refused = { readonly provider: Attested['provider']; readonly error: unknown }

/** Not in the transaction, which is undone. */
async function noteRefusal({ database }: AuthDeps, visit: SignedInVisit, { provider, error }: Refused): Promise<void> {
  if (!(error instanceof Refusal && error.code === 'attestation_failed')) return
  const traits = { provider, reason: error.message }
  const event = { action: 'device_attestation_refused', actor: visit.user, address: visit.address, traits } as const
  await insertAuditEvent(database, event)
}
