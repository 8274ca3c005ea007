import type { LogPlace } from '@pando/changes/reader'
import type { Clock } from '@pando/core/clock'
import type { Queries } from '@pando/postgres/database'
import { mustParseLsn, type Lsn } from '@pando/postgres/lsn'
import { toEndOfRecord } from '@pando/postgres/replicas/commit-log'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where the log of the primary was when it was asked. */
export type Mark = { readonly server: string; readonly lsn: Lsn; readonly askedAtMs: number }

export type PulseDeps = {
  readonly queries: Queries
  readonly clock: Clock
  readonly intervalMs: number
  /** Told of each answer. */
  readonly onMark: (mark: Mark) => void
  /** Told of the first of several questions in a row that were not answered. */
  readonly onSilent: (cause: unknown) => void
}

/** Knows from which moment what has been read of the log is: whatever was committed before it has been told. */
export type Pulse = {
  start(): void
  stop(): Promise<void>
  /** The latest such moment, by the monotonic clock; long ago when there is none. */
  knownSinceMs(place: LogPlace): number
}

/** Marks that the log has not reached; of a log that lags more the oldest are let go. */
const marksMax = 64

/** The file's name begins with the timeline, in hexadecimal. */
const selectPlace = `
select (select system_identifier::text from pg_catalog.pg_control_system()) as system,
  pg_catalog.pg_walfile_name(lsn) as file, lsn::text as lsn
from pg_catalog.pg_current_wal_insert_lsn() as lsn`

type Row = { readonly system: string; readonly file: string; readonly lsn: string }

export function createPulse({ queries, clock, intervalMs, onMark, onSilent }: PulseDeps): Pulse {
  const stopping = new AbortController()
  let marks: Mark[] = []
  let known: Mark | undefined
  let isSilent = false
  let ended: Promise<void> | undefined

  const ask = async (): Promise<void> => {
    const askedAtMs = clock.monotonic()
    const [row] = await queries.query<Row>(selectPlace)
    const { system, file, lsn } = row!
    const server = `${system}.${Number.parseInt(file.slice(0, 8), 16)}`
    const mark = { server, lsn: mustParseLsn(lsn), askedAtMs }
    if (marks.at(-1)?.server !== server) marks = []
    marks.push(mark)
    if (marks.length > marksMax) marks.shift()
    onMark(mark)
  }
  const keepAsking = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await ask()
        isSilent = false
      } catch (cause) {
        if (!isSilent && !stopping.signal.aborted) onSilent(cause)
        isSilent = true
      }
      await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
  return {
    start: () => {
      ended ??= keepAsking()
    },
    stop: async () => {
      stopping.abort()
      await ended
    },
    knownSinceMs: ({ lsn, server }) => {
      while (marks[0]?.server === server && toEndOfRecord(marks[0].lsn) <= lsn) known = marks.shift()
      return known?.server === server ? known.askedAtMs : -Infinity
    },
  }
}
