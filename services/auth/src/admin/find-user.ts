import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { findUser, type UserRow } from '../store/users.ts'
import { toUserJson } from '../user.ts'
import { isUuid } from '../uuid.ts'
import type { Visit } from '../visit.ts'

/** The user whose id is in the path. */
export async function mustFindUser(
  queries: Queries,
  { params }: Visit,
  options: { lock?: boolean } = {},
): Promise<UserRow> {
  const id = params['user_id']!
  if (!isUuid(id)) throw errors.userIdInvalid()
  const user = await findUser(queries, { id }, options)
  if (user === undefined) throw errors.userNotFound()
  return user
}

/** `GET /admin/users/{id}` */
export async function getUserAsAdmin({ database }: AuthDeps, visit: Visit): Promise<Answer> {
  return { status: 200, body: toUserJson(await mustFindUser(database, visit)) }
}
