/** What was measured holds for so long when nobody waits; a quiet hour says nothing about the next rush. */
const trustedMs = 10_000
/** So many places must become free in a window for it to count. */
const freedMin = 8
/** A process that has just started is slower than it will be: code is compiled, connections are made. */
const coldPlaces = 200

/** How fast places become free while somebody waits for one. When nobody does, that only tells how many came. */
export type Pace = {
  /** Somebody waits, or nobody does any more. */
  awaited(isAwaited: boolean, nowMs: number): void
  freed(nowMs: number): void
  /** How many places become free in so many milliseconds; infinite while nothing is known. */
  placesIn(ms: number): number
}

/** Measures over at least `windowMs` at a time. */
export function createPace(windowMs: number): Pace {
  let perMs = Number.POSITIVE_INFINITY
  /** Of the window before: a moment in which nothing moved says little. */
  let formerPerMs = 0
  let measuredAtMs = Number.NEGATIVE_INFINITY
  let sinceMs: number | undefined
  let count = 0
  let everFreed = 0
  return {
    awaited(isAwaited, nowMs) {
      if (!isAwaited) sinceMs = undefined
      if (!isAwaited || sinceMs !== undefined) return
      if (nowMs - measuredAtMs > trustedMs) {
        perMs = Number.POSITIVE_INFINITY
        formerPerMs = 0
      }
      sinceMs = nowMs
      count = 0
    },
    freed(nowMs) {
      everFreed += 1
      if (sinceMs === undefined) return
      count += 1
      if (count < freedMin || nowMs - sinceMs < windowMs) return
      if (everFreed >= coldPlaces) {
        formerPerMs = perMs === Number.POSITIVE_INFINITY ? 0 : perMs
        perMs = count / (nowMs - sinceMs)
        measuredAtMs = nowMs
      }
      sinceMs = nowMs
      count = 0
    },
    placesIn: (ms) => Math.max(perMs, formerPerMs) * ms,
  }
}
