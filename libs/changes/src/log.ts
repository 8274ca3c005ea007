import type { Clock } from '@pando/core/clock'
import type { Relation, Transaction } from './change.ts'
import type { Observe } from './observation.ts'
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

/** The log of changes as this process knows it: it survives the connections that it is read on. */
export type Log = {
  readonly window: Window
  /** Whether a place in the log is known, so that reading goes on from there. */
  readonly hasBegun: boolean
  /** Takes what the slot holds, from `lsn` on, as the beginning of the log. */
  begin(lsn: bigint): void
  /** Passes a transaction on, unless that has been done. */
  append(transaction: Transaction, endLsn: bigint): void
  reach(lsn: bigint): void
  /** Goes on at `lsn`, or when that is not given at a place that is not known yet. */
  reset(reason: string, at?: { readonly lsn: bigint; readonly relations?: readonly Relation[] }): void
  subscribe(listener: Listener): () => void
}

export function createLog(deps: { clock: Clock; observe: Observe }, limits: WindowLimits): Log {
  const { clock, observe } = deps
  const window = createWindow(limits)
  const listeners = new Set<Listener>()
  let hasBegun = false

  const tell = (call: (listener: Listener) => void): void => {
    for (const listener of listeners) {
      try {
        call(listener)
      } catch (cause) {
        observe({ kind: 'listener.failed', cause })
      }
    }
  }
  const begin = (lsn: bigint): void => {
    hasBegun = true
    window.clear(lsn, clock.monotonic())
  }
  return {
    window,
    get hasBegun() {
      return hasBegun
    },
    begin,
    append: (transaction, endLsn) => {
      if (transaction.lsn < window.reachedLsn) return
      const { changes, bytes, committedAtMs } = transaction
      // A notice is for those who are here; who comes back learns what holds now anyway.
      if (changes.length === 0) window.reach(endLsn, clock.monotonic())
      else window.add(transaction, endLsn, clock.monotonic())
      observe({ kind: 'transaction.read', changes: changes.length, bytes, lagMs: clock.now() - committedAtMs })
      tell((listener) => listener.onTransaction(transaction))
    },
    reach: (lsn) => window.reach(lsn, clock.monotonic()),
    reset: (reason, at) => {
      begin(at?.lsn ?? 0n)
      hasBegun = at !== undefined
      observe({ kind: 'log.reset', reason })
      tell((listener) => listener.onReset(reason, at?.relations))
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
