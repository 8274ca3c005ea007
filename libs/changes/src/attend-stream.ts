import { setTimeout as sleep } from 'node:timers/promises'
import { PostgresUnavailable } from '@pando/postgres/errors'
import type { ReplicationConnection } from './replication/connection.ts'
import type { Outcome, SlotReading } from './slot-reading.ts'
import { findSlot, listPublications } from './slot.ts'

export type Attendance = {
  readonly publications: readonly string[]
  /** What the slot has confirmed. */
  readonly confirmed: bigint
  /** Whether the primary is another server now. */
  readonly isMoved: () => boolean
}

/** Keeps the connection and the slot in order until the stream ends. */
export async function attendStream(
  reading: SlotReading,
  connection: ReplicationConnection,
  { publications, confirmed, isMoved }: Attendance,
): Promise<Outcome> {
  const { log, limits, clock, relay } = reading
  const ending = new AbortController()
  let confirmedLsn = confirmed
  const status = setInterval(() => {
    log.window.expire(clock.monotonic())
    const { leftLsn, reachedLsn } = log.window
    const news = leftLsn > confirmedLsn ? leftLsn : 0n
    confirmedLsn = news || confirmedLsn
    relay?.tick()
    connection.sendStatus({ writtenLsn: reachedLsn, confirmedLsn: news, wantsReply: true })
    if (connection.silentMs() > limits.silence) connection.destroy(silent(limits.silence))
    if (isMoved()) connection.destroy(moved())
  }, limits.statusInterval)
  try {
    const over = connection.ended.then((error) => Promise.reject(error))
    return await Promise.race([over, watchSlot(reading, publications, ending.signal)])
  } finally {
    clearInterval(status)
    ending.abort()
  }
}

/** Why a connection is given up on which nothing comes. */
export const silent = (silenceMs: number): PostgresUnavailable =>
  new PostgresUnavailable('connection', `Postgres has said nothing for ${silenceMs} ms`, { sent: true })

const moved = (): PostgresUnavailable =>
  new PostgresUnavailable('connection', 'The primary is another server now', { sent: true })

/** Measures the slot from time to time; fulfils when reading must begin anew because publications came or went. */
async function watchSlot(reading: SlotReading, publications: readonly string[], ended: AbortSignal): Promise<Outcome> {
  const { queries, slot, limits, log, observe } = reading
  for (;;) {
    // After the end nobody waits for this any more.
    await sleep(limits.checkInterval, undefined, { signal: ended }).catch(() => new Promise<never>(() => undefined))
    try {
      const found = await findSlot(queries, slot)
      if (found === undefined) continue
      const { transactions: windowTransactions, bytes: windowBytes } = log.window.size
      const { retainedBytes, leftBytes } = found
      observe({ kind: 'slot.checked', slot, retainedBytes, leftBytes, windowBytes, windowTransactions })
      const present = await listPublications(queries, reading.publications)
      if (present.join() === publications.join()) continue
    } catch {
      // Whether Postgres is there is for the stream to say.
      continue
    }
    log.reset('publications were created or dropped', { lsn: log.window.reachedLsn })
    return 'again'
  }
}
