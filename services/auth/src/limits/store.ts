import type { Queries } from '@pando/postgres/database'

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
