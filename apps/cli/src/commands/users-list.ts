import type { Cli } from '../cli.ts'
import { formatCount, formatTable } from '../terminal/format.ts'
import type { User } from '../users/admin-api.ts'
import { connectToApi } from '../users/connect.ts'
import type { ApiOptions } from '../users/connect.ts'
import { appRoleOf, stateOf } from '../users/describe-user.ts'

type ListOptions = ApiOptions & { readonly filter?: string; readonly page: number; readonly limit: number }

/** `pando users list`: the newest first. */
export async function runUsersList(cli: Cli, { filter, page, limit, ...where }: ListOptions): Promise<void> {
  const api = await connectToApi(cli, where)
  const query = new URLSearchParams({ page: String(page), per_page: String(limit), ...(filter && { filter }) })
  const { body, headers } = await api.ask('GET', `/admin/users?${query}`)
  const { users } = body as { users: readonly User[] }
  const total = Number(headers.get('x-total-count') ?? users.length)
  cli.terminal.result({ total, users }, () => toTable(users, { total, page, now: cli.now() }))
}

function toTable(users: readonly User[], { total, page, now }: { total: number; page: number; now: Date }): string {
  const day = (text: string | undefined) => text?.slice(0, 10) ?? ''
  const rows = users.map((user) => [
    user.id,
    user.email || (user.phone && `+${user.phone}`),
    stateOf(user, now),
    appRoleOf(user),
    day(user.created_at),
    day(user.last_sign_in_at),
  ])
  const shown = users.length === total ? formatCount(total, 'user') : `${users.length} of ${total} users, page ${page}`
  if (users.length === 0) return shown
  return [...formatTable(['Id', 'Who', 'State', 'Role', 'Since', 'Last here'], rows), '', shown].join('\n')
}
