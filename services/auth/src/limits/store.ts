import type { Queries } from '@pando/postgres/database'
import { toCondition, type UserKey, type UserRow } from '../store/users.ts'

export type Take = {
  readonly key: Buffer
  readonly tokenSeconds: number
  readonly burstSeconds: number
  readonly cost: number
}

/** Seconds to wait, 0 when the tokens of all buckets are taken; `place` counts from 1 to the bucket that needs them. */
export async function takeTokens(
  queries: Queries,
  takes: readonly Take[],
): Promise<{ seconds: number; place: number }> {
  const text = 'select seconds, place from auth.take_tokens($1, $2, $3, $4)'
  const rows = await queries.query<{ seconds: number; place: number }>(text, [
    takes.map(({ key }) => key),
    takes.map(({ tokenSeconds }) => tokenSeconds),
    takes.map(({ burstSeconds }) => burstSeconds),
    takes.map(({ cost }) => cost),
  ])
  return rows[0]!
}

/** Full buckets need no row. Skips those that are in use. */
export async function deleteFullBuckets(queries: Queries, rowsMax: number): Promise<void> {
  await queries.query(
    `delete from auth.rate_limits where key in (
      select key from auth.rate_limits where full_at < clock_timestamp() limit $1 for update skip locked)`,
    [rowsMax],
  )
}

export type AttemptRow = { readonly account: Buffer; readonly network: Buffer }

/** Seconds to wait; 0 when the attempt may be made, Infinity when there were too many. */
export async function beginAttempt(
  queries: Queries,
  { account, network }: AttemptRow,
  { failuresFree, failuresMax }: { readonly failuresFree: number; readonly failuresMax: number },
): Promise<number> {
  const text = 'select auth.begin_attempt($1, $2, $3, $4) as seconds'
  const rows = await queries.query<{ seconds: number }>(text, [account, network, failuresFree, failuresMax])
  return rows[0]!.seconds
}

/** What of an account a sign-in looks at before its password is checked. */
export type AccountRow = Pick<
  UserRow,
  | 'id'
  | 'email'
  | 'phone'
  | 'encrypted_password'
  | 'email_confirmed_at'
  | 'phone_confirmed_at'
  | 'banned_until'
  | 'is_sso_user'
  | 'raw_app_meta_data'
  | 'raw_user_meta_data'
>

/** Keys of what is counted: `account` for an address that has none; `seed` makes one with the id of an account. */
export type SignInKeys = { readonly account: Buffer; readonly seed: Buffer; readonly network: Buffer }

/** `beginAttempt` for whoever has this address or number, who is read by the same statement. */
export async function beginSignIn(
  queries: Queries,
  { key, keys }: { readonly key: UserKey; readonly keys: SignInKeys },
  { failuresFree, failuresMax }: { readonly failuresFree: number; readonly failuresMax: number },
): Promise<{ seconds: number; user: AccountRow | undefined }> {
  const { condition, value } = toCondition(key)
  const rows = await queries.query<AccountRow & { seconds: number }>(
    `select auth.begin_attempt(name.account, sha256(name.account || $4), $5, $6) as seconds, u.*
    from (select) as always
    left join lateral (
      select u.id, u.email, u.phone, u.encrypted_password, u.email_confirmed_at, u.phone_confirmed_at, u.banned_until,
        u.is_sso_user, u.raw_app_meta_data, u.raw_user_meta_data
      from auth.users u where ${condition} limit 1
    ) as u on true
    cross join lateral (select coalesce(sha256($3 || uuid_send(u.id)), $2) as account) as name`,
    [value, keys.account, keys.seed, keys.network, failuresFree, failuresMax],
  )
  const { seconds, ...user } = rows[0]!
  return { seconds, user: user.id === null ? undefined : user }
}

export async function endAttempt(queries: Queries, { account, network }: AttemptRow): Promise<void> {
  await queries.query('select auth.end_attempt($1, $2)', [account, network])
}

/** Networks that are known stay known. */
export async function forgetAttempts(queries: Queries, account: Buffer): Promise<void> {
  const text = `update auth.failed_attempts set failures = 0, retry_at = '-infinity' where account = $1`
  await queries.query(text, [account])
}

export async function deleteOldAttempts(
  queries: Queries,
  { days, rowsMax }: { readonly days: number; readonly rowsMax: number },
): Promise<void> {
  await queries.query(
    `delete from auth.failed_attempts where (account, network) in (
      select account, network from auth.failed_attempts
      where tried_at < now() - make_interval(days => $1) limit $2 for update skip locked)`,
    [days, rowsMax],
  )
}
