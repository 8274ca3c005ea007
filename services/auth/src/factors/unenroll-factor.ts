import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { deleteFactor, type FactorRow } from '../store/factors.ts'
import { replaceRecoveryCodes } from '../store/recovery-codes.ts'
import { deleteSessions, lowerSessions } from '../store/sessions.ts'
import { findUser } from '../store/users.ts'
import { hasVerifiedFactor } from '../user.ts'
import type { SignedInVisit } from '../visit.ts'
import { mustFindFactor } from './find-factor.ts'
import { tellOwner } from './tell-owner.ts'

/**
 * `DELETE /factors/{id}`: without a factor that counted, the person's other sessions end. This one goes on, for the SDKs do
 * not expect another one; if that factor had raised it, it is aal1 again, and so are access tokens that say otherwise.
 */
export async function unenrollFactor(deps: AuthDeps, visit: SignedInVisit): Promise<Answer> {
  const { database } = deps
  const { user, session, address } = visit
  const factor = await mustFindFactor(database, visit, user)
  await database.transaction(async (tx) => {
    await removeFactor(tx, factor, session?.id)
    const traits = { factor_id: factor.id, factor_status: factor.status, session_id: session?.id }
    await insertAuditEvent(tx, { action: 'factor_unenrolled', actor: user, address, traits })
  })
  if (factor.status === 'verified')
    tellOwner(deps, visit, { kind: 'mfa_factor_unenrolled', factorType: factor.factor_type })
  return { status: 200, body: { id: factor.id } }
}

/**
 * With a verified factor go all sessions but the one of the request, and with the last one the codes that stand in for
 * one.
 */
export async function removeFactor(tx: Queries, { id, user_id: userId }: FactorRow, sessionId?: string): Promise<void> {
  await findUser(tx, { id: userId }, { lock: true })
  const deleted = await deleteFactor(tx, id)
  if (deleted === undefined) throw errors.factorNotFound()
  if (deleted.status === 'verified') await deleteSessions(tx, { userId, except: sessionId })
  await lowerSessions(tx, id)
  const user = await findUser(tx, { id: userId })
  if (user !== undefined && !hasVerifiedFactor(user)) await replaceRecoveryCodes(tx, userId, [])
}
