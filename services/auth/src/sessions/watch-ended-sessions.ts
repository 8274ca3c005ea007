import type { Clock } from '@pando/core/clock'
import type { EndedSessions } from '@pando/http/auth/ended-sessions'
import type { Queries } from '@pando/postgres/database'
import { setTimeout as sleepFor } from 'node:timers/promises'
import { endOf, listEndedSessions, nothingSeen, oldestOpen, type Position } from '../store/ended-sessions.ts'
import { createEndedSet } from './ended-set.ts'

export type EndedSessionsDeps = {
  /** As `authenticator`; may lead through a pooler in transaction mode. */
  readonly database: Queries
  readonly clock: Clock
  readonly limits: { readonly sessionsMax: number; readonly intervalMs: number; readonly rowsMax?: number }
  /** Told of the first failure in a row, and of the success that ends it. */
  readonly onReach: (failure: { readonly error: unknown } | undefined) => void
  /** Told how many had to be forgotten although access tokens of theirs may be out. */
  readonly onForgotten: (count: number) => void
  /** Resolves after so many milliseconds, or rejects when the signal aborts; default is the real time. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/** What a node knows of ended sessions, kept up to date from `start` to `stop`. */
export type EndedSessionsWatch = EndedSessions & {
  /** Resolves when the table was read for the first time, or could not be read. */
  start(): Promise<void>
  stop(): Promise<void>
  size(): number
  /** Since when this node knows nothing new, in milliseconds. */
  ageMs(): number
}

const rowsMax = 10_000

/**
 * Asks Postgres again and again which sessions have ended. A node that cannot reach it goes on with what it knows, and
 * serves: access tokens still expire, and the requests need the same Postgres. What it missed it learns with the first
 * answer.
 */
export function watchEndedSessions(deps: EndedSessionsDeps): EndedSessionsWatch {
  const { clock, limits, onReach } = deps
  const sleep = deps.sleep ?? ((ms: number, signal: AbortSignal) => sleepFor(ms, undefined, { signal }))
  const ended = createEndedSet(limits.sessionsMax, deps.onForgotten)
  const stopping = new AbortController()
  let seen = nothingSeen
  let readMs = clock.monotonic()
  let isFailing = false
  let running: Promise<void> = Promise.resolve()

  async function read(): Promise<void> {
    let page = await readPage(seen)
    const now = endOf(page.snapshot)
    // Another database, or an earlier state of this one, stands in its place; its transactions have other numbers.
    if (oldestOpen(now) < oldestOpen(seen)) page = await readPage(nothingSeen)
    while (page.next !== undefined) page = await readPage(page.next)
    seen = now
    ended.forgetBefore(page.oldest)
    readMs = clock.monotonic()
  }

  async function readPage(position: Position) {
    const page = await listEndedSessions(deps.database, position, limits.rowsMax ?? rowsMax)
    ended.add(page.sessions)
    return page
  }

  async function tryToRead(): Promise<void> {
    try {
      await read()
      if (isFailing) onReach(undefined)
      isFailing = false
    } catch (error) {
      if (!isFailing && !stopping.signal.aborted) onReach({ error })
      isFailing = true
    }
  }

  async function keepReading(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(limits.intervalMs, stopping.signal).catch(() => undefined)
      if (!stopping.signal.aborted) await tryToRead()
    }
  }

  return {
    has: ended.has,
    loweredAt: ended.loweredAt,
    onEnded: ended.onEnded,
    size: ended.size,
    ageMs: () => clock.monotonic() - readMs,
    async start() {
      await tryToRead()
      running = keepReading()
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}
