import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { countUsers, listUsers } from '../store/users.ts'
import { toUserJson } from '../user.ts'
import type { Visit } from '../visit.ts'

const perPageDefault = 50
const perPageMax = 1000

/** `GET /admin/users?page=…&per_page=…`: newest first, with `X-Total-Count` and `Link` (RFC 8288). */
export async function listUsersAsAdmin({ database, apiUrl }: AuthDeps, { query }: Visit): Promise<Answer> {
  const page = toCount(query['page'], 'page') ?? 1
  const perPage = Math.min(toCount(query['per_page'], 'per_page') ?? perPageDefault, perPageMax)
  const filter = query['filter'] || undefined
  const total = await countUsers(database, filter)
  const users = await listUsers(database, { filter, limit: perPage, offset: (page - 1) * perPage })
  const last = Math.max(1, Math.ceil(total / perPage))
  const link = (to: number, rel: string): string =>
    `<${apiUrl()}/auth/v1/admin/users?page=${to}&per_page=${perPage}>; rel="${rel}"`
  const links = [...(page < last ? [link(page + 1, 'next')] : []), link(last, 'last')]
  return {
    status: 200,
    body: { users: users.map(toUserJson), aud: 'authenticated' },
    headers: { 'x-total-count': String(total), link: links.join(', ') },
  }
}

function toCount(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^[1-9]\d{0,8}$/.test(text)) throw errors.invalid(`Bad Pagination Parameters: ${name} must be a number from 1`)
  return Number(text)
}
