import type { Clock } from '@pando/core/clock'
import type { Relation, Transaction } from './change.ts'
import type { Cursor } from './cursor.ts'
import type { Forerunner } from './forerunner.ts'
import type { Observe } from './observation.ts'
import { tellAll } from './tell-all.ts'
import { createWindow, type Window, type WindowLimits } from './window.ts'

export type Listener = {
  /** Called in commit order, once per transaction. Must be quick and must not throw: the log waits meanwhile. */
  onTransaction(transaction: Transaction): void
  /**
   * Changes may be missing: of these relations, or of all when none are named. The log goes on after it, and no cursor from
   * before is answered any more.
   */
  onReset(reason: string, relations?: readonly Relation[]): void
}

/** Hears of everything before the listeners do, with its places. */
export type LogWatcher = {
  onTransaction(transaction: Transaction, endLsn: bigint): void
  onReset(reason: string, at: ResetPlace | undefined): void
}

export type ResetPlace = { readonly lsn: bigint; readonly relations?: readonly Relation[] }

/** The publications that a log is read of, by this process or by the one that it follows. */
export type Feed = { readonly publications: readonly string[] }

/** The log of changes as this process knows it: it survives the connections that it is read on. */
export type Log = {
  readonly window: Window
  /** The server that it was read from, and its timeline; empty before the first. */
  server: string
  /** Of that server, if it was promoted: whose log goes on in this one. */
  forerunner: Forerunner | undefined
  /** Whose changes are in it from now on; another object each time that these are others. */
  readonly feed: Feed
  readFrom(publications: readonly string[]): void
  /** Whether a place in the log is known, so that reading goes on from there. */
  readonly hasBegun: boolean
  /** Takes what the slot holds, from `lsn` on, as the beginning of the log; `floor` is the oldest cursor that it answers. */
  begin(lsn: bigint, floor?: Cursor): void
  /** Passes a transaction on, unless that has been done. */
  append(transaction: Transaction, endLsn: bigint): void
  reach(lsn: bigint): void
  /** Goes on at `lsn`, or when that is not given at a place that is not known yet. */
  reset(reason: string, at?: ResetPlace): void
  subscribe(listener: Listener): () => void
  watch(watcher: LogWatcher): () => void
  /** Calls back each time that the log has gone on, after all listeners. */
  onReached(callback: () => void): void
}

export function createLog(deps: { clock: Clock; observe: Observe }, limits: WindowLimits): Log {
  const { clock, observe } = deps
  const window = createWindow(limits)
  const listeners = new Set<Listener>()
  const watchers = new Set<LogWatcher>()
  const reached = new Set<() => void>()
  let hasBegun = false
  let server = ''
  let forerunner: Forerunner | undefined
  let feed: Feed = { publications: [] }

  const tell = <To>(all: ReadonlySet<To>, call: (one: To) => void): void => tellAll(all, call, observe)
  const tellReached = (): void => tell(reached, (callback) => callback())
  const begin = (lsn: bigint, floor?: Cursor): void => {
    hasBegun = true
    window.clear(lsn, clock.monotonic(), floor)
  }
  return {
    window,
    get server() {
      return server
    },
    set server(name) {
      server = name
    },
    get forerunner() {
      return forerunner
    },
    set forerunner(before) {
      forerunner = before
    },
    get feed() {
      return feed
    },
    readFrom: (publications) => {
      if (feed.publications.join() !== publications.join()) feed = { publications }
    },
    get hasBegun() {
      return hasBegun
    },
    begin,
    append: (transaction, endLsn) => {
      if (transaction.lsn < window.reachedLsn) return
      const { changes, bytes, committedAtMs } = transaction
      window.add(transaction, endLsn, clock.monotonic())
      observe({ kind: 'transaction.read', changes: changes.length, bytes, lagMs: clock.now() - committedAtMs })
      tell(watchers, (watcher) => watcher.onTransaction(transaction, endLsn))
      tell(listeners, (listener) => listener.onTransaction(transaction))
      tellReached()
    },
    reach: (lsn) => {
      window.reach(lsn, clock.monotonic())
      tellReached()
    },
    reset: (reason, at) => {
      begin(at?.lsn ?? 0n)
      hasBegun = at !== undefined
      observe({ kind: 'log.reset', reason })
      tell(watchers, (watcher) => watcher.onReset(reason, at))
      tell(listeners, (listener) => listener.onReset(reason, at?.relations))
    },
    watch: (watcher) => {
      watchers.add(watcher)
      return () => void watchers.delete(watcher)
    },
    onReached: (callback) => void reached.add(callback),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
