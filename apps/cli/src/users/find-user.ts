import { Failure } from '../failure.ts'
import type { AdminApi, User } from './admin-api.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const perPage = 1000

/** The user with this id, e-mail address or phone number; throws a `Failure` when there is none. */
export async function getUser(api: AdminApi, who: string): Promise<User> {
  if (uuid.test(who)) return (await api.ask('GET', `/admin/users/${who}`)).body as User
  const email = who.trim().toLowerCase()
  const phone = who.replaceAll(/[^\d]/g, '')
  const filter = email.includes('@') ? email : phone
  const { body } = await api.ask('GET', `/admin/users?per_page=${perPage}&filter=${encodeURIComponent(filter)}`)
  const { users } = body as { users: readonly User[] }
  const found = users.find((user) => (email.includes('@') ? user.email === email : user.phone === phone))
  if (found !== undefined) return found
  throw new Failure('usage', `There is no user ${JSON.stringify(who)}.`, {
    remedy: 'Name an id, an e-mail address or a phone number; `pando users list` shows them.',
  })
}
