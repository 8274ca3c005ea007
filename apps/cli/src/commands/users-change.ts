import type { Cli } from '../cli.ts'
import type { AdminApi, User } from '../users/admin-api.ts'
import { connectToApi } from '../users/connect.ts'
import type { ApiOptions } from '../users/connect.ts'
import { nameOf } from '../users/describe-user.ts'
import { getUser } from '../users/find-user.ts'

type UserOptions = ApiOptions & { readonly who: string }

/** `pando users ban`: signs the person out everywhere and keeps them out. */
export function runUsersBan(cli: Cli, options: UserOptions & { readonly duration: string }): Promise<void> {
  return change(cli, options, async (api, user) => {
    const { banned_until: until } = await update(api, user, { ban_duration: options.duration })
    const end = `${until?.slice(0, 16).replace('T', ' ')} UTC`
    return { facts: { banned_until: until }, text: `${nameOf(user)} is banned until ${end}.` }
  })
}

/** `pando users unban` */
export function runUsersUnban(cli: Cli, options: UserOptions): Promise<void> {
  return change(cli, options, async (api, user) => {
    await update(api, user, { ban_duration: 'none' })
    return { facts: { banned_until: null }, text: `${nameOf(user)} may sign in again.` }
  })
}

/** `pando users sign-out`: ends all sessions. */
export function runUsersSignOut(cli: Cli, options: UserOptions): Promise<void> {
  return change(cli, options, async (api, user) => {
    await api.ask('POST', `/admin/users/${user.id}/logout`)
    return {
      facts: { signed_out: true },
      text: `${nameOf(user)} is signed out everywhere, at the latest when the token expires.`,
    }
  })
}

/**
 * `pando users make-admin`: writes `role` into the user's app_metadata, which is in each of their tokens and which they
 * cannot change. What it allows is for the project's policies to say; the database role stays `authenticated`.
 */
export function runUsersMakeAdmin(
  cli: Cli,
  options: UserOptions & { readonly role: string; readonly revoke?: boolean },
): Promise<void> {
  const role = options.revoke === true ? null : options.role
  return change(cli, options, async (api, user) => {
    await update(api, user, { app_metadata: { role } })
    const what = role === null ? 'has no role any more' : `has the role ${JSON.stringify(role)}`
    return { facts: { role }, text: `${nameOf(user)} ${what}, with the next token.` }
  })
}

type Changed = { readonly facts: Readonly<Record<string, unknown>>; readonly text: string }

async function change(
  cli: Cli,
  { who, ...where }: UserOptions,
  apply: (api: AdminApi, user: User) => Promise<Changed>,
): Promise<void> {
  const api = await connectToApi(cli, where)
  const user = await getUser(api, who)
  const { facts, text } = await apply(api, user)
  cli.terminal.result({ id: user.id, email: user.email || null, phone: user.phone || null, ...facts }, () => text)
}

async function update(api: AdminApi, { id }: User, body: Readonly<Record<string, unknown>>): Promise<User> {
  return (await api.ask('PUT', `/admin/users/${id}`, body)).body as User
}
