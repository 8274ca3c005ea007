import type { BodyOf, Types } from '@pando/http/shape'
import { createHash } from 'node:crypto'
import type { AuthDeps } from '../deps.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { deleteSessions } from '../store/sessions.ts'
import { deleteUser, softDeleteUser } from '../store/users.ts'
import type { Visit } from '../visit.ts'
import { mustFindUser } from './find-user.ts'

export const deleteUserBody = (Type: Types) => Type.Object({ should_soft_delete: Type.Optional(Type.Boolean()) })

/**
 * `DELETE /admin/users/{id}`: with everything that hangs on the account, or (soft) only what tells who it was, so that
 * rows of the app that reference it stay.
 */
export async function deleteUserAsAdmin(
  { database }: AuthDeps,
  visit: Visit,
  body: BodyOf<typeof deleteUserBody>,
): Promise<Answer> {
  await database.transaction(async (tx) => {
    const user = await mustFindUser(tx, visit, { lock: true })
    await insertAuditEvent(tx, {
      action: 'user_deleted',
      actor: visit.caller,
      address: visit.address,
      traits: { user_id: user.id, user_email: user.email ?? '', user_phone: user.phone ?? '' },
    })
    if (!body.should_soft_delete) return deleteUser(tx, user.id)
    await deleteSessions(tx, { userId: user.id })
    await softDeleteUser(tx, user, (text) => createHash('sha256').update(`${user.id}${text}`).digest('base64url'))
  })
  return { status: 200, body: {} }
}
