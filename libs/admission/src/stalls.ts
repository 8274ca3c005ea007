import type { Clock } from '@pando/core/clock'

/** How often `look` is to be called. */
export const stallLookMs = 10
/** Later than this is no accident. */
const lateMs = 5

/** Adds up for how long this process got no processor, or was busy with one thing alone. */
export type StallMeter = {
  look(): void
  readonly totalMs: () => number
}

export function createStallMeter(clock: Pick<Clock, 'monotonic'>): StallMeter {
  let lookedAtMs = clock.monotonic()
  let totalMs = 0
  return {
    look() {
      const nowMs = clock.monotonic()
      const late = nowMs - lookedAtMs - stallLookMs
      if (late > lateMs) totalMs += late
      lookedAtMs = nowMs
    },
    totalMs: () => totalMs,
  }
}
