import type { Clock } from '@pando/core/clock'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase, type Queries } from '../database.ts'
import { parseLsn, type Lsn } from '../lsn.ts'
import type { ObserveServers } from './observation.ts'

/** What a server said of itself. */
export type Sighting = {
  /** In recovery: it replays the log of another server and takes no writes. */
  readonly standby: boolean
  /** What a standby has replayed; where a primary writes next. */
  readonly lsn: Lsn
  /** Raised by one with each promotion; known of a primary only. */
  readonly timeline: number | undefined
  /** The same for all servers of one database. */
  readonly system: string
  readonly askedAtMs: number
}

export type ServerWatchOptions = {
  readonly name: string
  readonly url: string
  /** Pause between two questions. */
  readonly intervalMs: number
  /** An answer that takes longer counts as none. */
  readonly answerMsMax: number
  readonly clock: Clock
  readonly prepares: boolean
  readonly observe: ObserveServers
  /** Told of each answer. */
  readonly onSighting: (sighting: Sighting) => void
}

/** Asks one server again and again, on a connection of its own, what it is and how far it has come. */
export type ServerWatch = {
  readonly name: string
  /** The last answer, if it is not older than three questions and the time of an answer. */
  seen(): Sighting | undefined
  /** Fulfils when the first question is decided. */
  start(): Promise<void>
  stop(): Promise<void>
}

export function watchServer(options: ServerWatchOptions): ServerWatch {
  const { name, clock, intervalMs, answerMsMax, observe } = options
  const silentMs = 3 * intervalMs + answerMsMax
  const database = createDatabase({
    url: options.url,
    applicationName: 'pando servers',
    connectionsMax: 1,
    connectMs: answerMsMax,
    answerMsMax,
    // Poolers refuse it.
    statementMsMax: 0,
    prepares: options.prepares,
  })
  const stopping = new AbortController()
  let last: Sighting | undefined
  let isHeard: boolean | undefined
  let ended: Promise<void> | undefined

  const ask = async (): Promise<void> => {
    try {
      last = await look(database, clock)
      if (isHeard !== true) observe({ kind: 'server.heard', server: name, standby: last.standby })
      isHeard = true
    } catch (cause) {
      // What it was is not what it will be when it is back.
      last = undefined
      if (isHeard !== false && !stopping.signal.aborted) observe({ kind: 'server.silent', server: name, cause })
      isHeard = false
      return
    }
    options.onSighting(last)
  }
  const keepAsking = async (first: () => void): Promise<void> => {
    while (!stopping.signal.aborted) {
      await ask()
      first()
      await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
    await database.close()
  }
  return {
    name,
    seen: () => (last !== undefined && clock.monotonic() - last.askedAtMs <= silentMs ? last : undefined),
    start() {
      const { promise, resolve } = Promise.withResolvers<void>()
      ended = keepAsking(resolve)
      return promise
    },
    async stop() {
      stopping.abort()
      await ended
    },
  }
}

/** The file's name begins with the timeline; a standby has none, and a replica that is promoted between fails. */
const selectSighting = `
select
  s.standby,
  case when s.standby then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end::text as lsn,
  case when s.standby then null else pg_walfile_name(pg_current_wal_insert_lsn()) end as file,
  (select system_identifier::text from pg_control_system()) as system
from (select pg_is_in_recovery() as standby) as s
`

type Row = {
  readonly standby: boolean
  readonly lsn: string | null
  readonly file: string | null
  readonly system: string
}

async function look(queries: Queries, clock: Clock): Promise<Sighting> {
  const askedAtMs = clock.monotonic()
  const [row] = await queries.query<Row>(selectSighting, [])
  const { standby, lsn, file, system } = row!
  return {
    standby,
    lsn: parseLsn(lsn ?? '') ?? 0n,
    timeline: file === null ? undefined : Number.parseInt(file.slice(0, 8), 16),
    system,
    askedAtMs,
  }
}
