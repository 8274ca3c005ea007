import type { Cli } from '../cli.ts'
import type { User } from '../users/admin-api.ts'
import { connectToApi } from '../users/connect.ts'
import type { ApiOptions } from '../users/connect.ts'

type InviteOptions = ApiOptions & { readonly emails: readonly string[]; readonly redirectTo?: string }

/** `pando users invite`: a mail with a link to each address; who follows it chooses a password. */
export async function runUsersInvite(cli: Cli, { emails, redirectTo, ...where }: InviteOptions): Promise<void> {
  const api = await connectToApi(cli, where)
  const query = redirectTo === undefined ? '' : `?redirect_to=${encodeURIComponent(redirectTo)}`
  for (const email of emails) {
    const { body } = await api.ask('POST', `/invite${query}`, { email })
    const { id } = body as User
    cli.terminal.result({ invited: email, id }, () => `${email} is invited (${id}).`)
  }
}
