import type { BodyOf, Types } from '@pando/http/shape'
import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { assertionBody, registrationBody } from '../passkeys/credential-bodies.ts'
import type { Answer } from '../route.ts'
import { continueAtAal2 } from '../sessions/continue-at-aal2.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { deleteUnverifiedFactors, type FactorRow, markFactorProved } from '../store/factors.ts'
import { deleteLowSessions, type SessionRow } from '../store/sessions.ts'
import { findUser } from '../store/users.ts'
import { isUuid } from '../uuid.ts'
import type { SignedInVisit } from '../visit.ts'
import { mustBeHighest } from './assurance.ts'
import { mustAllowVerify, mustFindFactor } from './find-factor.ts'
import { tellOwner } from './tell-owner.ts'
import { type Proof, tryCode } from './try-code.ts'
import { tryWebauthn } from './try-webauthn.ts'

export const verifyFactorBody = (Type: Types) =>
  Type.Object({
    challenge_id: Type.Optional(Type.String({ maxLength: 100 })),
    code: Type.Optional(Type.String({ maxLength: 100 })),
    webauthn: Type.Optional(
      Type.Object({
        type: Type.String({ maxLength: 100 }),
        credential_response: Type.Union([registrationBody(Type), assertionBody(Type)]),
      }),
    ),
  })
type VerifyFactor = BodyOf<typeof verifyFactorBody>

/**
 * `POST /factors/{id}/verify`: a right answer raises the session to aal2. The first one makes the factor count, and
 * ends all other sessions that have proved no factor.
 */
export async function verifyFactor(deps: AuthDeps, visit: SignedInVisit, body: VerifyFactor): Promise<Answer> {
  const { database, options } = deps
  const { user, session } = visit
  if (session === undefined) throw errors.sessionOfTokenNotFound()
  const factor = await mustFindFactor(database, visit, user)
  mustAllowVerify(factor.factor_type, options)
  if (factor.status === 'unverified') mustBeHighest(visit)
  const proof = await toProof(deps, visit, { factor, body })
  const raised = await database.transaction(async (tx) => {
    await mustStillFit(deps, tx, { factor, session })
    if (!(await proof.take(tx))) throw errors.webauthnFailed()
    if (!(await markFactorProved(tx, factor.id, proof.secret))) throw errors.factorNotFound()
    if (factor.status === 'unverified') await completeEnrollment(tx, factor, session)
    const traits = { factor_id: factor.id, challenge_id: body.challenge_id, factor_type: factor.factor_type }
    const event = { action: 'verification_attempted', actor: user, address: visit.address, traits } as const
    await insertAuditEvent(tx, event)
    return continueAtAal2(deps, tx, { sessionId: session.id, factorId: factor.id, method: proof.method, visit })
  })
  if (factor.status === 'unverified')
    tellOwner(deps, visit, { kind: 'mfa_factor_enrolled', factorType: factor.factor_type })
  return { status: 200, body: raised }
}

type Verified = { readonly factor: FactorRow; readonly session: SessionRow }
type Given = { readonly factor: FactorRow; readonly body: VerifyFactor }

function toProof(deps: AuthDeps, visit: SignedInVisit, { factor, body }: Given): Promise<Proof> {
  const { challenge_id, code, webauthn } = body
  const challengeId = challenge_id ?? ''
  if (!isUuid(challengeId)) throw errors.invalid('challenge_id must be an UUID')
  if (factor.factor_type === 'webauthn' && webauthn !== undefined) {
    return tryWebauthn(deps, { factor, challengeId, answer: webauthn })
  }
  if (!code) {
    throw errors.invalid(factor.factor_type === 'webauthn' ? 'WebAuthn config required' : 'Code needs to be non-empty')
  }
  return tryCode(deps, visit, { factor, challengeId, code })
}

/**
 * Another factor may have been completed meanwhile. Then a new one cannot be added from below, and may be one too many.
 * The user is locked, so that this holds until the end.
 */
async function mustStillFit({ options }: AuthDeps, tx: Queries, { factor, session }: Verified): Promise<void> {
  const user = await findUser(tx, { id: factor.user_id }, { lock: true })
  if (user === undefined) throw errors.userOfTokenNotFound()
  if (factor.status === 'verified') return
  mustBeHighest({ user, session })
  const verified = user.factors.filter(({ status }) => status === 'verified')
  if (verified.length >= options.factorsMax) throw errors.tooManyFactors()
}

async function completeEnrollment(tx: Queries, { user_id: userId, factor_type: type }: FactorRow, session: SessionRow) {
  await deleteUnverifiedFactors(tx, { userId, type })
  await deleteLowSessions(tx, { userId, except: session.id })
}
