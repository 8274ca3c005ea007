import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from './deps.ts'
import { insertIdentity } from './store/identities.ts'
import { insertUser, type Metadata, type UserRow } from './store/users.ts'
import { newUuid } from './uuid.ts'

export type AccountKey = { readonly email: string } | { readonly phone: string }

export type NewAccount = {
  /** A new one if not given. */
  readonly id?: string
  readonly key: AccountKey
  readonly passwordHash?: string
  readonly data?: Metadata
  /** Whether apps find the address in `user_metadata`, too, as after a sign-up. */
  readonly tellsFacts?: boolean
}

/** An account whose address nobody has proved yet, with its identity; undefined when the address has one already. */
export async function insertAccount(deps: AuthDeps, tx: Queries, account: NewAccount): Promise<UserRow | undefined> {
  const { key, passwordHash, data = {}, tellsFacts = true, id = newUuid(deps) } = account
  const provider = 'email' in key ? 'email' : 'phone'
  const facts = { sub: id, ...key, email_verified: false, phone_verified: false }
  const user = await insertUser(tx, {
    id,
    role: 'authenticated',
    ...key,
    passwordHash,
    appMetadata: { provider, providers: [provider] },
    userMetadata: tellsFacts ? { ...data, ...facts } : data,
  })
  if (user === undefined) return undefined
  await insertIdentity(tx, { userId: id, provider, providerId: id, data: { ...data, ...facts } })
  return user
}
