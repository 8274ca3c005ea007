import type { BodyOf, Types } from '@pando/http/shape'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { mustBeFresh } from '../one-time/reauthenticate.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { deleteOwnSession, listOwnSessions, type OwnSession } from '../store/own-sessions.ts'
import { isUuid } from '../uuid.ts'
import type { SignedInVisit } from '../visit.ts'
import { whyExpired } from './session-state.ts'

/** Most sessions that are listed: those that were used last. */
const sessionsListedMax = 100

/** `GET /sessions`, an addition of ours: where the person is signed in. */
export async function getOwnSessions(deps: AuthDeps, { user, session }: SignedInVisit): Promise<Answer> {
  const { database, options, clock } = deps
  const rows = await listOwnSessions(database, user.id, sessionsListedMax)
  const active = rows.filter((row) => whyExpired(row, options, clock.now()) === undefined)
  return { status: 200, body: { sessions: active.map((row) => toJson(row, session?.id)) } }
}

function toJson({ refreshed_at: refreshedAt, ...row }: OwnSession, currentId: string | undefined) {
  return { ...row, last_used_at: refreshedAt ?? row.created_at, is_current: row.id === currentId }
}

export const endSessionBody = (Type: Types) => Type.Object({ nonce: Type.Optional(Type.String({ maxLength: 100 })) })

/**
 * `DELETE /sessions/{id}`, an addition of ours: ends one session of the person's own. Another one than that of the
 * request wants a session younger than a day, or the code of `GET /reauthenticate` (ASVS 5.0, 7.5.2).
 */
export async function endOwnSession(
  deps: AuthDeps,
  visit: SignedInVisit,
  { nonce }: BodyOf<typeof endSessionBody>,
): Promise<Answer> {
  const { user, session, address, params } = visit
  const id = params['session_id']!
  if (!isUuid(id)) throw errors.sessionIdInvalid()
  if (id !== session?.id) await mustBeFresh(deps, visit, { nonce, what: 'Ending another session' })
  await deps.database.transaction(async (tx) => {
    if (!(await deleteOwnSession(tx, { id, userId: user.id }))) throw errors.sessionNotFound()
    await insertAuditEvent(tx, { action: 'logout', actor: user, address, traits: { session_id: id } })
  })
  return { status: 204 }
}
