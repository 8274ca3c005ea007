import type { Clock } from '@pando/core/clock'
import type { RateDecision, RatePolicy } from './rate-store.ts'

/** A `RateStore` that answers at once. */
export type LocalRateStore = {
  take(key: string, cost: number, policy: RatePolicy): RateDecision
  readonly size: number
}

export type LocalRateStoreDeps = { readonly clock: Clock; readonly bucketsMax: number }

/**
 * Counts in this process. A bucket is one moment, when it is full again (GCRA), so it costs a number and needs no
 * clearing up but when there are `bucketsMax`: then those that are full go, and if none is, the one that was used longest
 * ago.
 */
export function createLocalRateStore({ clock, bucketsMax }: LocalRateStoreDeps): LocalRateStore {
  const fullAtMs = new Map<string, number>()

  const makeRoom = (nowMs: number): void => {
    // In the order of their last use; a bucket that has been left alone for long is full.
    for (const [key, atMs] of fullAtMs) {
      if (atMs > nowMs && fullAtMs.size < bucketsMax) return
      fullAtMs.delete(key)
    }
  }

  return {
    take(key, cost, policy) {
      const nowMs = clock.monotonic()
      const bucket = `${policy.name} ${key}`
      const tokenMs = policy.windowMs / policy.quota
      const fullMs = Math.max(nowMs, fullAtMs.get(bucket) ?? nowMs)
      const wantedMs = fullMs + cost * tokenMs
      const isTaken = wantedMs - nowMs <= policy.windowMs + roundingMs
      if (!isTaken) return toDecision(policy, { debtMs: fullMs - nowMs, retryMs: wantedMs - nowMs - policy.windowMs })
      if (fullAtMs.size >= bucketsMax && !fullAtMs.has(bucket)) makeRoom(nowMs)
      fullAtMs.delete(bucket)
      fullAtMs.set(bucket, wantedMs)
      return toDecision(policy, { debtMs: wantedMs - nowMs, retryMs: 0 })
    },
    get size() {
      return fullAtMs.size
    },
  }
}

/** Sums of fractions: a third of a second thrice must be a second. */
const roundingMs = 1e-6

/** What is missing until the bucket is full, and until there is a token for this request. */
type Account = { readonly debtMs: number; readonly retryMs: number }

export function toDecision({ quota, windowMs }: RatePolicy, { debtMs, retryMs }: Account): RateDecision {
  const remaining = Math.max(0, Math.floor(((windowMs - debtMs) * quota) / windowMs + roundingMs))
  return { isTaken: retryMs === 0, remaining, resetMs: debtMs, retryMs }
}
