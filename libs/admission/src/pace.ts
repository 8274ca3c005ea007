/** What was measured holds for so long when nobody waits; a quiet hour says nothing about the next rush. */
const trustedMs = 10_000
/** After so long of waiting half of what was measured is forgotten. */
const halfLifeMs = 500
/** A shorter time than this says nothing. */
const spanMinMs = 100

/** How fast places are taken by those who wait for one, and their like. When nobody waits, that only tells how many came. */
export type Pace = {
  /** Somebody waits, or nobody does any more. */
  awaited(isAwaited: boolean, nowMs: number): void
  took(): void
  /** How many get a place in so many milliseconds; infinite while nothing is known. */
  placesIn(ms: number): number
}

export function createPace(): Pace {
  /** Of the time in which somebody waited, and of the places taken in it, what is not forgotten. */
  let [spanMs, count] = [0, 0]
  let isAwaited = false
  let atMs = Number.NEGATIVE_INFINITY
  return {
    awaited(isAwaitedNow, nowMs) {
      const passedMs = Math.max(0, nowMs - atMs)
      if (isAwaited) {
        const kept = 2 ** (-passedMs / halfLifeMs)
        spanMs = spanMs * kept + passedMs
        count *= kept
      } else if (passedMs > trustedMs) spanMs = count = 0
      if (isAwaited || isAwaitedNow) atMs = nowMs
      isAwaited = isAwaitedNow
    },
    took() {
      if (isAwaited) count += 1
    },
    placesIn: (ms) => (spanMs < spanMinMs ? Number.POSITIVE_INFINITY : (count / spanMs) * ms),
  }
}
