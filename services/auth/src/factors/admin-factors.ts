import type { BodyOf, Types } from '@pando/http/shape'
import { mustFindUser } from '../admin/find-user.ts'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { canonicalPhone } from '../phone.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { updateFactor } from '../store/factors.ts'
import { deleteSessions } from '../store/sessions.ts'
import type { Visit } from '../visit.ts'
import { mustFindFactor, toFactorJson } from './find-factor.ts'
import { removeFactor } from './unenroll-factor.ts'

/** `GET /admin/users/{id}/factors` */
export async function listFactorsAsAdmin({ database }: AuthDeps, visit: Visit): Promise<Answer> {
  return { status: 200, body: (await mustFindUser(database, visit)).factors }
}

/** `DELETE /admin/users/{id}/factors/{factor_id}`: for somebody who has lost theirs. If it counted, all their sessions end. */
export async function deleteFactorAsAdmin({ database, limits }: AuthDeps, visit: Visit): Promise<Answer> {
  const deleted = await database.transaction(async (tx) => {
    const user = await mustFindUser(tx, visit, { lock: true })
    const factor = await mustFindFactor(tx, visit, user)
    await limits.forget(tx, { secret: 'factor', account: user.id })
    await removeFactor(tx, factor)
    const traits = { user_id: user.id, factor_id: factor.id }
    await insertAuditEvent(tx, { action: 'factor_deleted', actor: visit.caller, address: visit.address, traits })
    return toFactorJson(user, factor)
  })
  return { status: 200, body: deleted }
}

export const adminFactorBody = (Type: Types) =>
  Type.Object({
    friendly_name: Type.Optional(Type.String({ maxLength: 255 })),
    phone: Type.Optional(Type.String({ maxLength: 100 })),
  })

/**
 * `PUT /admin/users/{id}/factors/{factor_id}`: another name, or another number of a phone. With the number of one that
 * counts all sessions of the person end: it is another factor.
 */
export async function updateFactorAsAdmin(
  { database }: AuthDeps,
  visit: Visit,
  body: BodyOf<typeof adminFactorBody>,
): Promise<Answer> {
  const updated = await database.transaction(async (tx) => {
    const user = await mustFindUser(tx, visit, { lock: true })
    const factor = await mustFindFactor(tx, visit, user)
    const phone = body.phone && factor.factor_type === 'phone' ? canonicalPhone(body.phone) : undefined
    const friendlyName = body.friendly_name || undefined
    if (!(await updateFactor(tx, factor.id, { friendlyName, phone }))) throw errors.factorNameTaken(friendlyName ?? '')
    if (phone !== undefined && phone !== factor.phone && factor.status === 'verified')
      await deleteSessions(tx, { userId: user.id })
    const traits = { user_id: user.id, factor_id: factor.id, factor_type: factor.factor_type }
    await insertAuditEvent(tx, { action: 'factor_updated', actor: visit.caller, address: visit.address, traits })
    return toFactorJson(await mustFindUser(tx, visit), factor)
  })
  return { status: 200, body: updated }
}
