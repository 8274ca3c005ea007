import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '@pando/bus/bus'
import type { Clock } from '@pando/core/clock'
import { createDatabase, type Database } from '@pando/postgres/database'
import type { Lsn } from '@pando/postgres/lsn'
import type { ServerUrl } from '@pando/postgres/server-url'
import type { Change } from './change.ts'
import type { ChangesValues } from './config.ts'
import { toCursor, type Cursor } from './cursor.ts'
import { createArrivals } from './arrivals.ts'
import { createLog, type Feed, type Listener } from './log.ts'
import type { Observe } from './observation.ts'
import { readSlot } from './read-slot.ts'
import type { SlotReading } from './slot-reading.ts'
import { createRelay } from './relay/relay.ts'
import { getDefaultSlotName } from './slot.ts'

/**
 * `starting`: on the way to the slot or to the end of its log. `standby`: another process reads; this one takes over when it
 * ends. `following`: the same, and what the other reads is passed on here too. `reading`: at the end of the log.
 */
export type ReaderState = 'starting' | 'standby' | 'following' | 'reading' | 'stopped'

/** Everything of the feed that was committed before `lsn` on this server and timeline has been told to listeners. */
export type LogPlace = { readonly lsn: Lsn; readonly server: string; readonly feed: Feed }

export type ChangeReaderDeps = {
  /**
   * A direct connection (no pooler) by a role with `replication`, or a superuser. Who gives a function follows the primary: a
   * stream from where it was is given up.
   */
  readonly url: ServerUrl
  /** Shown in pg_stat_replication and pg_stat_activity. */
  readonly applicationName: string
  /** What is read; those that do not exist yet are waited for. */
  readonly publications: readonly string[]
  readonly limits: ChangesValues
  readonly clock: Clock
  /** Numbers in [0, 1) that spread the pauses. */
  readonly random: () => number
  readonly observe: Observe
  /** To the other processes of the deployment, started before the reader. Without it, who does not read knows nothing. */
  readonly bus?: Bus
}

/**
 * Reads the changes of the published tables from the log of one database. At most one of all processes does; by the bus the
 * others have the same log.
 */
export type ChangeReader = {
  /** Fulfils when it reads, follows or stands by, or when the first attempt has failed; it then goes on trying. */
  start(): Promise<void>
  /** Fulfils when the slot is free for others. */
  stop(): Promise<void>
  /**
   * Who subscribes before `start` gets every transaction that the slot holds: after a restart those of the window come
   * again. Returns the end of the subscription.
   */
  subscribe(listener: Listener): () => void
  /**
   * What came after a cursor, in order. Undefined when it is before the window, no place in this log, or this process is
   * neither `reading` nor `following`. Who follows is some milliseconds behind: up to `changes.status_interval` on an idle log.
   */
  since(cursor: Cursor): readonly Change[] | undefined
  /** The newest place: what a client that begins now holds. An idle log moves on too, so ask again from time to time. */
  latest(): Cursor
  /** How far the log is known; undefined when this process is neither `reading` nor `following`. */
  place(): LogPlace | undefined
  state(): ReaderState
  /**
   * Calls back once when the log is read or followed here, and as far as a cursor if one is given: at once where it is. A place
   * that does not come within `changes.ahead_timeout` is none of this log, and is not waited for any more. Returns the end of
   * waiting.
   */
  whenReached(cursor: Cursor | undefined, callback: () => void): () => void
}

export function createChangeReader(deps: ChangeReaderDeps): ChangeReader {
  const { observe, limits } = deps
  const log = createLog(deps, { windowMs: limits.window, windowBytes: limits.windowBytes })
  const stopping = new AbortController()
  const ready = Promise.withResolvers<void>()
  const relay =
    deps.bus &&
    createRelay({
      ...deps,
      bus: deps.bus,
      log,
      transactionBytesMax: limits.transactionBytesMax,
      silenceMs: limits.silence,
      onFollowing: () => {
        if (state === 'standby') enter('following')
      },
    })
  let state: ReaderState = 'starting'
  let ended: Promise<void> | undefined
  const latest = (): Cursor => toCursor(log.window.reachedLsn, 0)
  const arrivals = createArrivals({ state: () => state, latest, aheadMs: limits.aheadTimeout, observe })
  log.onReached(arrivals.look)

  const enter = (next: ReaderState): void => {
    if (next === state) return
    state = next
    observe({ kind: 'reader.state', state })
    if (state === 'reading' || state === 'following') ready.resolve()
    arrivals.look()
  }
  const run = async (): Promise<void> => {
    const queries = openQueries(deps)
    relay?.start()
    await keepReading({ ...deps, queries, log, relay, enter, settled: ready.resolve }, stopping.signal)
    relay?.stop()
    await queries.close()
  }
  return {
    start: async () => {
      ended ??= run()
      await Promise.race([ready.promise, ended])
    },
    stop: async () => {
      stopping.abort()
      await ended
      enter('stopped')
    },
    subscribe: log.subscribe,
    since: (cursor) => (state === 'reading' || state === 'following' ? log.window.since(cursor) : undefined),
    latest,
    place: () => {
      if (state !== 'reading' && state !== 'following') return undefined
      return { lsn: log.window.reachedLsn, server: log.server, feed: log.feed }
    },
    state: () => state,
    whenReached: arrivals.wait,
  }
}

const openQueries = ({ url, applicationName, limits }: ChangeReaderDeps): Database =>
  createDatabase({
    url,
    applicationName,
    connectionsMax: 1,
    connectMs: limits.connectTimeout,
    statementMsMax: limits.silence,
    answerMsMax: limits.silence,
  })

type Keeping = Omit<SlotReading, 'slot'> & {
  readonly random: () => number
  readonly enter: (state: ReaderState) => void
  /** Called when the first attempt is decided. */
  readonly settled: () => void
}

/** Reads, waits and tries again until `stopped`. Never rejects. */
async function keepReading(keeping: Keeping, stopped: AbortSignal): Promise<void> {
  const { limits, observe, enter, settled, queries, relay } = keeping
  let failures = 0
  let waits = 0
  const onCaughtUp = (): void => {
    failures = 0
    enter('reading')
  }
  /** Somebody else reads. */
  const standBy = (): void => {
    relay?.follow()
    enter(relay?.isFollowing === true ? 'following' : 'standby')
    // The first time, what the other reads is waited for.
    if (waits++ > 0 || relay?.hasOthers !== true) settled()
  }
  const nextPause = (): number =>
    spread(Math.min(limits.retryPauseMax, limits.retryPause * 2 ** Math.min(failures++, 16)), keeping.random)
  while (!stopped.aborted) {
    let pauseMs: number
    try {
      // The database may have been made anew, under another number.
      const slot = limits.slot ?? (await getDefaultSlotName(queries))
      const outcome = await readSlot({ ...keeping, slot }, stopped, onCaughtUp)
      if (outcome === 'busy') standBy()
      else enter('starting')
      pauseMs = outcome === 'busy' ? spread(limits.standbyPause, keeping.random) : nextPause()
    } catch (cause) {
      if (stopped.aborted) return
      enter('starting')
      pauseMs = nextPause()
      observe({ kind: 'stream.lost', cause, retryMs: pauseMs })
      settled()
    }
    await sleep(pauseMs, undefined, { signal: stopped }).catch(() => undefined)
  }
}

/** Between half and all of a pause, so that a fleet does not come at once. */
const spread = (pauseMs: number, random: () => number): number => pauseMs * (0.5 + random() / 2)
