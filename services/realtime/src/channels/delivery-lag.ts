import type { Clock } from '@pando/core/clock'
import type { Delivery } from '../changes/change-run.ts'

export type DeliveryLag = {
  /** A change is told to somebody. */
  tell(delivery: Pick<Delivery, 'cursor' | 'commitTimestamp'>): void
  /** What is told up to here is from before somebody came. */
  pass(cursor: string): void
}

/**
 * How long after its commit a change is put on the first socket, in seconds; once for each, and not for what somebody missed.
 */
export function createDeliveryLag(clock: Pick<Clock, 'now'>, observe: (seconds: number) => void): DeliveryLag {
  let last = ''
  return {
    tell({ cursor, commitTimestamp }) {
      if (cursor <= last) return
      last = cursor
      observe((clock.now() - Date.parse(commitTimestamp)) / 1000)
    },
    pass(cursor) {
      if (cursor > last) last = cursor
    },
  }
}
