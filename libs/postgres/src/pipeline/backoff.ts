import type { PipelineLimits } from './limits.ts'

/** Pauses between attempts that fail: doubled each time up to a bound, each between half and all of its length. */
export type Backoff = {
  /** Notes a failure; the pause starts at `nowMs`. */
  failed(nowMs: number, error: Error): void
  succeeded(): void
  /** The error to answer with while the pause lasts. */
  refusal(nowMs: number): Error | undefined
}

export function createBackoff(limits: PipelineLimits, random: () => number): Backoff {
  let failures = 0
  let untilMs = Number.NEGATIVE_INFINITY
  let lastError: Error | undefined
  return {
    failed(nowMs, error) {
      const pauseMs = Math.min(limits.backoffMsMax, limits.backoffMs * 2 ** Math.min(failures, 16))
      failures++
      lastError = error
      untilMs = nowMs + pauseMs * (0.5 + random() / 2)
    },
    succeeded() {
      failures = 0
      lastError = undefined
    },
    refusal: (nowMs) => (nowMs < untilMs ? lastError : undefined),
  }
}
