import type { Queries } from '@pando/postgres/database'

/**
 * Notes that a message is on its way, unless one was within `frequencyMs`: then it tells how many milliseconds are
 * left. One statement, so of many requests at once one gets through. Rows whose time is over go little by little.
 */
export async function noteSend(
  queries: Queries,
  { key, frequencyMs }: { key: string; frequencyMs: number },
): Promise<number | undefined> {
  const noted = await queries.query(
    `with stale as (
      delete from auth.recent_sends where key in (
        select key from auth.recent_sends where free_at <= now() and key <> $1
        order by free_at limit 10 for update skip locked)
    )
    insert into auth.recent_sends as sends (key, free_at) values ($1, now() + $2 * interval '1 millisecond')
    on conflict (key) do update set free_at = excluded.free_at where sends.free_at <= now()
    returning key`,
    [key, frequencyMs],
  )
  if (noted.length > 0) return undefined
  const left = await queries.query<{ ms: number }>(
    `select extract(epoch from free_at - now())::float8 * 1000 as ms from auth.recent_sends where key = $1`,
    [key],
  )
  return Math.max(0, left[0]?.ms ?? 0)
}

/** The message could not be sent: the next one need not wait. */
export async function forgetSend(queries: Queries, key: string): Promise<void> {
  await queries.query('delete from auth.recent_sends where key = $1', [key])
}
