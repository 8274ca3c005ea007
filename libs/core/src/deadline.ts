import type { Clock } from './clock.ts'

/** The instant after which nobody waits for the answer any more, on the monotonic clock of `clock`. */
export type Deadline = { readonly atMs: number; readonly clock: Clock }

/** A deadline `timeoutMs` from now. */
export function deadlineIn(clock: Clock, timeoutMs: number): Deadline {
  return { atMs: clock.monotonic() + timeoutMs, clock }
}

/** Whole milliseconds that are left, never below 0. */
export function remainingMs(deadline: Deadline): number {
  return Math.max(0, Math.ceil(deadline.atMs - deadline.clock.monotonic()))
}
