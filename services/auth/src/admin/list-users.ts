import type { AuthDeps } from '../deps.ts'
import type { Answer } from '../route.ts'
import { countUsers, listUsers } from '../store/users.ts'
import { toUserJson } from '../user.ts'
import type { Visit } from '../visit.ts'
import { toPage, toPageHeaders } from './page.ts'

/** `GET /admin/users`: newest first. */
export async function listUsersAsAdmin(deps: AuthDeps, visit: Visit): Promise<Answer> {
  const { database } = deps
  const page = toPage(visit)
  const filter = visit.query['filter'] || undefined
  const total = await countUsers(database, filter)
  const users = await listUsers(database, { filter, limit: page.limit, offset: page.offset })
  return {
    status: 200,
    body: { users: users.map(toUserJson), aud: 'authenticated' },
    headers: toPageHeaders(deps, '/admin/users', { page, total }),
  }
}
