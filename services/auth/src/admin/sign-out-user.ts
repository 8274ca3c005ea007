import type { AuthDeps } from '../deps.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { deleteSessions } from '../store/sessions.ts'
import type { Visit } from '../visit.ts'
import { mustFindUser } from './find-user.ts'

/** `POST /admin/users/{id}/logout`, an addition of ours: ends every session of a user, whose token the admin does not have. */
export async function signOutUser({ database }: AuthDeps, visit: Visit): Promise<Answer> {
  await database.transaction(async (tx) => {
    const user = await mustFindUser(tx, visit)
    await deleteSessions(tx, { userId: user.id })
    await insertAuditEvent(tx, {
      action: 'logout',
      actor: visit.caller,
      address: visit.address,
      traits: { user_id: user.id, user_email: user.email ?? '', user_phone: user.phone ?? '' },
    })
  })
  return { status: 204 }
}
