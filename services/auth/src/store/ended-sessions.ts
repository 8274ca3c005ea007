import type { Queries } from '@pando/postgres/database'

/** How far somebody has read: everything that the snapshot shows, and of the rest what is not behind the last line. */
export type Position = { readonly snapshot: string; readonly line: Line }
type Line = { readonly by: string; readonly id: string }

const firstLine: Line = { by: '0', id: '00000000-0000-0000-0000-000000000000' }

/** Before the first transaction of any database. */
export const nothingSeen: Position = { snapshot: '1:1:', line: firstLine }

export type EndedPage = {
  /** What was there while this page was read. */
  readonly snapshot: string
  /** Where the next page begins; undefined when this one was the last. */
  readonly next: Position | undefined
  /** Seconds since the epoch: what ended before need not be remembered. */
  readonly oldest: number
  readonly sessions: readonly EndedSession[]
}

/** `endedAt` in seconds since the epoch. One that was `lowered` then goes on at a lower level of assurance. */
export type EndedSession = { readonly id: string; readonly endedAt: number; readonly lowered: boolean }

type PageRow = {
  readonly now_seen: string
  readonly oldest: number | null
  readonly last_by: string | null
  readonly session_ids: readonly string[]
  readonly ended_at: readonly number[]
  readonly lowered: readonly boolean[]
}

/** Sessions that have ended and were not seen, at most `rowsMax`. */
export async function listEndedSessions(
  queries: Queries,
  { snapshot, line }: Position,
  rowsMax: number,
): Promise<EndedPage> {
  const rows = await queries.query<PageRow>(
    `select now_seen::text, oldest, last_by::text, session_ids, ended_at, lowered
    from auth.list_ended_and_lowered_sessions($1::pg_snapshot, $2::xid8, $3, $4)`,
    [snapshot, line.by, line.id, rowsMax],
  )
  const { now_seen, oldest, last_by, session_ids: ids, ended_at: times, lowered } = rows[0]!
  const isFull = ids.length === rowsMax && last_by !== null
  return {
    snapshot: now_seen,
    next: isFull ? { snapshot, line: { by: last_by, id: ids.at(-1)! } } : undefined,
    oldest: oldest ?? Number.POSITIVE_INFINITY,
    sessions: ids.map((id, index) => ({ id, endedAt: times[index]!, lowered: lowered[index]! })),
  }
}

/** The position of somebody who has read to the end while `snapshot` was what there is. */
export const endOf = (snapshot: string): Position => ({ snapshot, line: firstLine })

/** The oldest transaction that was open at that snapshot: it only grows, unless another database is in the place. */
export const oldestOpen = ({ snapshot }: Position): bigint => BigInt(snapshot.split(':')[0]!)

/** Removes lines of sessions that ended longer ago, at most `rowsMax`, but none that another node removes; how many. */
export async function deleteOldEndedSessions(
  queries: Queries,
  { olderThanMs, rowsMax }: { readonly olderThanMs: number; readonly rowsMax: number },
): Promise<number> {
  const rows = await queries.query(
    `delete from auth.ended_sessions where (ended_by, session_id) in (
      select ended_by, session_id from auth.ended_sessions
      where ended_at < now() - $1 * interval '1 millisecond' order by ended_at limit $2 for update skip locked)
    returning session_id`,
    [olderThanMs, rowsMax],
  )
  return rows.length
}
