import type { Database } from '@pando/postgres/database'
import type { Broadcast } from '../broadcast/publish.ts'
import { toStoredBroadcast } from './read-message.ts'

/** Most messages from before a join. */
const limitMax = 25

export type Replay = {
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly limit: number
}

/** Undefined when it asks for what there cannot be. */
export function parseReplay(asked: { since: unknown; limit: unknown }): Replay | undefined {
  const { since } = asked
  const limit = asked.limit ?? limitMax
  if (!Number.isInteger(since) || !Number.isInteger(limit)) return undefined
  const date = new Date(since as number)
  if (Number.isNaN(date.getTime())) return undefined
  return { since: since as number, limit: Math.min(Math.max(limit as number, 1), limitMax) }
}

/** The latest messages that were sent to a private channel since a moment, the oldest first. */
export async function findMessages(database: Database, topic: string, { since, limit }: Replay): Promise<Broadcast[]> {
  const rows = await database.query<{ id: string; event: string; payload: string | null; binary: string | null }>(
    `select * from (
      select id, event, payload::text as payload, '\\x' || encode(binary_payload, 'hex') as binary, inserted_at
      from realtime.messages
      where topic = $1 and private and extension = 'broadcast' and inserted_at >= $2::timestamptz at time zone 'UTC'
        and inserted_at < (now() + interval '1 minute') at time zone 'UTC'
      order by inserted_at desc limit $3
    ) as latest order by inserted_at`,
    [topic, new Date(since), limit],
  )
  return rows.map((row) => toStoredBroadcast(row, undefined, { replayed: true })).filter((sent) => sent !== undefined)
}
