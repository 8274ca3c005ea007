/** What was measured holds for so long when nobody waits; a quiet hour says nothing about the next rush. */
const trustedMs = 10_000

/** How fast places become free while somebody waits for one. When nobody does, that only tells how many came. */
export type Pace = {
  waited(nowMs: number): void
  freed(nowMs: number): void
  /** How many places become free in so many milliseconds; infinite while nothing is known. */
  placesIn(ms: number): number
}

/** Measures over at least `windowMs` at a time. */
export function createPace(windowMs: number): Pace {
  let perMs = Number.POSITIVE_INFINITY
  let measuredAtMs = Number.NEGATIVE_INFINITY
  let sinceMs: number | undefined
  let count = 0
  return {
    waited(nowMs) {
      if (sinceMs !== undefined) return
      if (nowMs - measuredAtMs > trustedMs) perMs = Number.POSITIVE_INFINITY
      sinceMs = nowMs
      count = 0
    },
    freed(nowMs) {
      if (sinceMs === undefined) return
      count += 1
      if (nowMs - sinceMs < windowMs) return
      perMs = count / (nowMs - sinceMs)
      measuredAtMs = nowMs
      sinceMs = undefined
    },
    placesIn: (ms) => perMs * ms,
  }
}
