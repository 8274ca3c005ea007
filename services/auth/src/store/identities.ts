import type { Queries } from '@pando/postgres/database'
import type { Metadata } from './users.ts'

export type NewIdentity = {
  readonly userId: string
  readonly provider: string
  /** The provider's name for the person: `sub` at an OpenID provider, the user's id for `email` and `phone`. */
  readonly providerId: string
  readonly data: Metadata
}

/** Does nothing when the person has it already. */
export async function insertIdentity(queries: Queries, identity: NewIdentity): Promise<void> {
  await queries.query(
    `insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
    values ($1, $2, $3, $4, now(), now(), now())
    on conflict (provider_id, provider) do nothing`,
    [identity.providerId, identity.userId, JSON.stringify(identity.data), identity.provider],
  )
}

/** Merges facts into what a provider told; nothing happens where there is no such identity. */
export async function updateIdentity(
  queries: Queries,
  { userId, provider, data }: Pick<NewIdentity, 'userId' | 'provider' | 'data'>,
): Promise<void> {
  await queries.query(
    `update auth.identities set identity_data = identity_data || $3, updated_at = now()
    where user_id = $1 and provider = $2`,
    [userId, provider, JSON.stringify(data)],
  )
}
