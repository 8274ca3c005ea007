import type { Queries } from '@pando/postgres/database'
import { PostgresError } from '@pando/postgres/errors'
import { errors } from '../errors.ts'

/** A row of auth.users with what hangs on it; the columns are the public contract of `migrations/`. */
export type UserRow = {
  readonly id: string
  readonly aud: string | null
  readonly role: string | null
  readonly email: string | null
  readonly encrypted_password: string | null
  readonly email_confirmed_at: Date | null
  readonly invited_at: Date | null
  readonly confirmation_sent_at: Date | null
  readonly recovery_sent_at: Date | null
  readonly email_change: string | null
  readonly email_change_sent_at: Date | null
  readonly email_change_confirm_status: number | null
  readonly last_sign_in_at: Date | null
  readonly raw_app_meta_data: Metadata | null
  readonly raw_user_meta_data: Metadata | null
  readonly created_at: Date | null
  readonly updated_at: Date | null
  readonly phone: string | null
  readonly phone_confirmed_at: Date | null
  readonly phone_change: string | null
  readonly phone_change_sent_at: Date | null
  readonly confirmed_at: Date | null
  readonly reauthentication_sent_at: Date | null
  readonly banned_until: Date | null
  readonly is_sso_user: boolean
  readonly deleted_at: Date | null
  readonly is_anonymous: boolean
  readonly identities: readonly IdentityJson[]
  readonly factors: readonly FactorJson[]
}

export type Metadata = Readonly<Record<string, unknown>>

/** A way to sign in, as it is sent: `id` is the provider's name for the person, `identity_id` ours for the row. */
export type IdentityJson = {
  readonly identity_id: string
  readonly id: string
  readonly user_id: string
  readonly identity_data: Metadata
  readonly provider: string
  readonly last_sign_in_at: string | null
  readonly created_at: string
  readonly updated_at: string
  readonly email?: string
}

export type FactorJson = {
  readonly id: string
  readonly created_at: string
  readonly updated_at: string
  readonly status: 'unverified' | 'verified'
  readonly friendly_name?: string
  readonly factor_type: 'totp' | 'phone' | 'webauthn'
  readonly phone?: string
  readonly last_challenged_at?: string
}

const columns = `u.id, u.aud, u.role, u.email, u.encrypted_password, u.email_confirmed_at, u.invited_at,
  u.confirmation_sent_at, u.recovery_sent_at, u.email_change, u.email_change_sent_at, u.email_change_confirm_status,
  u.last_sign_in_at, u.raw_app_meta_data, u.raw_user_meta_data, u.created_at, u.updated_at, u.phone,
  u.phone_confirmed_at, u.phone_change, u.phone_change_sent_at, u.confirmed_at, u.reauthentication_sent_at,
  u.banned_until, u.is_sso_user, u.deleted_at, u.is_anonymous`

const identities = `coalesce((
  select json_agg(json_strip_nulls(json_build_object(
    'identity_id', i.id, 'id', i.provider_id, 'user_id', i.user_id, 'provider', i.provider,
    'last_sign_in_at', i.last_sign_in_at, 'created_at', i.created_at, 'updated_at', i.updated_at, 'email', i.email
  ))::jsonb || jsonb_build_object('identity_data', i.identity_data) order by i.created_at, i.provider)
  from auth.identities i where i.user_id = u.id), '[]') as identities`

const factors = `coalesce((
  select json_agg(json_strip_nulls(json_build_object(
    'id', f.id, 'created_at', f.created_at, 'updated_at', f.updated_at, 'status', f.status,
    'friendly_name', f.friendly_name, 'factor_type', f.factor_type, 'phone', f.phone,
    'last_challenged_at', f.last_challenged_at
  )) order by f.created_at)
  from auth.mfa_factors f where f.user_id = u.id), '[]') as factors`

/** A whole user; join it where more than one statement would be needed. The table is `u`. */
export const wholeUser = `${columns}, ${identities}, ${factors}`

/** What tells one user from all others. People of single sign-on may share an address and are not found by it. */
export type UserKey = { readonly id: string } | { readonly email: string } | { readonly phone: string }

/** Every row has it that is not written by hand; an index begins with it. */
const instance = '00000000-0000-0000-0000-000000000000'

const conditions = {
  id: 'u.id = $1',
  // Rows that SQL put there may have capitals.
  email: `(u.email = $1 or (u.instance_id = '${instance}' and lower(u.email) = $1)) and not u.is_sso_user`,
  phone: 'u.phone = $1 and not u.is_sso_user',
} as const

/** Finds a user as table `u`, whose `value` is the first parameter. */
export function toCondition(key: UserKey): { readonly condition: string; readonly value: string } {
  const [[name, value]] = Object.entries(key) as [[keyof typeof conditions, string]]
  return { condition: conditions[name], value }
}

/** `lock` keeps others from changing the user until the transaction ends. */
export async function findUser(
  queries: Queries,
  key: UserKey,
  { lock = false }: { lock?: boolean } = {},
): Promise<UserRow | undefined> {
  const { condition, value } = toCondition(key)
  // A statement that waits for the lock still sees identities and factors as they were before it waited.
  if (lock) await queries.query(`select u.id from auth.users u where ${condition} for update`, [value])
  const text = `select ${wholeUser} from auth.users u where ${condition}`
  return (await queries.query<UserRow>(text, [value]))[0]
}

export type NewUser = {
  readonly id: string
  readonly role: string
  readonly email?: string
  readonly phone?: string
  readonly passwordHash?: string
  readonly appMetadata: Metadata
  readonly userMetadata: Metadata
  readonly isAnonymous?: boolean
}

/**
 * Undefined when the address or number is somebody's already.
 *
 * @throws unexpected_failure, with the cause for the log, when a trigger of the project refuses
 */
export async function insertUser(queries: Queries, user: NewUser): Promise<UserRow | undefined> {
  const inserted = queries.query<{ id: string }>(
    `insert into auth.users (instance_id, id, aud, role, email, phone, encrypted_password, raw_app_meta_data,
      raw_user_meta_data, is_anonymous, confirmation_token, recovery_token, email_change_token_new, email_change,
      created_at, updated_at)
    select '${instance}'::uuid, $1::uuid, 'authenticated', $2::text, $3::text, $4::text, $5::text, $6::jsonb, $7::jsonb,
      $8::boolean, '', '', '', '', now(), now()
    where not exists (
      select from auth.users u where u.instance_id = '${instance}' and lower(u.email) = $3 and not u.is_sso_user
    )
    on conflict do nothing
    returning id`,
    [
      user.id,
      user.role,
      user.email ?? null,
      user.phone ?? null,
      user.passwordHash ?? '',
      JSON.stringify(user.appMetadata),
      JSON.stringify(user.userMetadata),
      user.isAnonymous ?? false,
    ],
  )
  const rows = await inserted.catch((cause: unknown) => {
    throw cause instanceof PostgresError ? errors.userNotSaved(cause) : cause
  })
  return rows.length === 0 ? undefined : findUser(queries, { id: user.id })
}

/** Columns that are set as they are; metadata is merged, member by member, and a null removes one. */
export type UserChanges = {
  readonly role?: string
  readonly email?: string
  readonly phone?: string | null
  readonly passwordHash?: string
  readonly emailConfirmed?: true
  readonly phoneConfirmed?: true
  readonly bannedUntil?: Date | null
  readonly isAnonymous?: false
  readonly appMetadata?: Metadata
  readonly userMetadata?: Metadata
}

/** Changes what is given and nothing else; undefined when the user is gone. */
export async function updateUser(queries: Queries, id: string, changes: UserChanges): Promise<UserRow | undefined> {
  const given = <Name extends keyof UserChanges>(name: Name) => name in changes && changes[name] !== undefined
  await queries.query(
    `update auth.users set
      role = case when $2 then $3 else role end,
      email = case when $4 then $5 else email end,
      phone = case when $6 then $7 else phone end,
      encrypted_password = case when $8 then $9 else encrypted_password end,
      email_confirmed_at = case when $10 then coalesce(email_confirmed_at, now()) else email_confirmed_at end,
      phone_confirmed_at = case when $11 then coalesce(phone_confirmed_at, now()) else phone_confirmed_at end,
      banned_until = case when $12 then $13::timestamptz else banned_until end,
      is_anonymous = is_anonymous and not $14,
      raw_app_meta_data = case when $15 then auth.merge_metadata(raw_app_meta_data, $16) else raw_app_meta_data end,
      raw_user_meta_data = case when $17 then auth.merge_metadata(raw_user_meta_data, $18) else raw_user_meta_data end,
      updated_at = now()
    where id = $1`,
    [
      id,
      given('role'),
      changes.role ?? null,
      given('email'),
      changes.email ?? null,
      given('phone'),
      changes.phone ?? null,
      given('passwordHash'),
      changes.passwordHash ?? null,
      given('emailConfirmed'),
      given('phoneConfirmed'),
      given('bannedUntil'),
      changes.bannedUntil ?? null,
      given('isAnonymous'),
      given('appMetadata'),
      JSON.stringify(changes.appMetadata ?? {}),
      given('userMetadata'),
      JSON.stringify(changes.userMetadata ?? {}),
    ],
  )
  return findUser(queries, { id })
}

export async function deleteUser(queries: Queries, id: string): Promise<void> {
  await queries.query('delete from auth.users where id = $1', [id])
}

/** Forgets who it was: address, number, names and ways to sign in become hashes, factors go. */
export async function softDeleteUser(
  queries: Queries,
  user: UserRow,
  obscure: (text: string) => string,
): Promise<void> {
  await queries.query(
    `update auth.users set email = $2, phone = $3, encrypted_password = '', email_change = '', phone_change = '',
      raw_user_meta_data = '{}', raw_app_meta_data = '{}', deleted_at = now(), updated_at = now()
    where id = $1 and deleted_at is null`,
    [user.id, user.email === null ? null : obscure(user.email), user.phone === null ? null : obscure(user.phone)],
  )
  for (const { identity_id, id } of user.identities) {
    await queries.query(`update auth.identities set provider_id = $2, identity_data = '{}' where id = $1`, [
      identity_id,
      obscure(id),
    ])
  }
  await queries.query('delete from auth.mfa_factors where user_id = $1', [user.id])
  await queries.query('delete from auth.mfa_recovery_codes where user_id = $1', [user.id])
  await queries.query('delete from auth.webauthn_credentials where user_id = $1', [user.id])
  await queries.query('delete from auth.one_time_tokens where user_id = $1', [user.id])
}

const matchesFilter = `($1::text is null or u.email ilike '%' || $1 || '%' or u.phone ilike '%' || $1 || '%'
  or u.raw_user_meta_data ->> 'full_name' ilike '%' || $1 || '%')`

export async function countUsers(queries: Queries, filter: string | undefined): Promise<number> {
  const text = `select count(*)::int as count from auth.users u where ${matchesFilter}`
  return (await queries.query<{ count: number }>(text, [toPattern(filter)]))[0]!.count
}

export function listUsers(
  queries: Queries,
  { filter, limit, offset }: { filter: string | undefined; limit: number; offset: number },
): Promise<UserRow[]> {
  const text = `select ${wholeUser} from auth.users u where ${matchesFilter}
    order by u.created_at desc, u.id limit $2 offset $3`
  return queries.query<UserRow>(text, [toPattern(filter), limit, offset])
}

/** `%` and `_` stand for themselves. */
function toPattern(filter: string | undefined): string | null {
  return filter === undefined ? null : filter.replaceAll(/[\\%_]/g, '\\$&')
}
