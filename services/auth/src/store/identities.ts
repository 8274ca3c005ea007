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

type IdentityKey = Pick<NewIdentity, 'provider' | 'providerId'>

/** Lets one transaction at a time deal with an identity, also with one that is not there yet. */
export async function lockIdentity(queries: Queries, { provider, providerId }: IdentityKey): Promise<void> {
  await queries.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`identity ${provider} ${providerId}`])
}

/** The id of the user whose identity this is. */
export async function findOwner(queries: Queries, { provider, providerId }: IdentityKey): Promise<string | undefined> {
  const text = 'select user_id from auth.identities where provider = $1 and provider_id = $2'
  return (await queries.query<{ user_id: string }>(text, [provider, providerId]))[0]?.user_id
}

/** Somebody came with it again, and the provider told this. */
export async function refreshIdentity(queries: Queries, identity: Omit<NewIdentity, 'userId'>): Promise<void> {
  await queries.query(
    `update auth.identities set identity_data = $3, last_sign_in_at = now(), updated_at = now()
    where provider = $1 and provider_id = $2`,
    [identity.provider, identity.providerId, JSON.stringify(identity.data)],
  )
}

export async function deleteIdentity(queries: Queries, id: string): Promise<void> {
  await queries.query('delete from auth.identities where id = $1', [id])
}
