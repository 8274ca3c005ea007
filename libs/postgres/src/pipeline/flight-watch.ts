import { remainingMs, type Deadline } from '@pando/core/deadline'
import type { HangUp } from '../exchange.ts'

/** Something that must end by a deadline or when nobody waits for it any more. */
export type Watched = {
  readonly deadline: Deadline
  readonly signal: HangUp | undefined
  expire(reason: 'deadline' | 'aborted'): void
}

export type FlightWatch = {
  add(watched: Watched): void
  remove(watched: Watched): void
  readonly size: number
}

/**
 * One timer for all exchanges: it fires at the earliest deadline, and every `abortPollMs` while there are callers who
 * may hang up. Measured: a timer and a listener per exchange cost more than writing the exchange.
 */
export function createFlightWatch(abortPollMs: number): FlightWatch {
  const all = new Set<Watched>()
  let timer: NodeJS.Timeout | undefined
  let firesAtMs = Number.POSITIVE_INFINITY

  const wakeAt = (watched: Watched, leftMs: number) => {
    const waitMs = watched.signal === undefined ? leftMs : Math.min(leftMs, abortPollMs)
    const atMs = watched.deadline.clock.monotonic() + waitMs
    if (atMs >= firesAtMs) return
    clearTimeout(timer)
    firesAtMs = atMs
    timer = setTimeout(sweep, waitMs).unref()
  }

  const sweep = () => {
    firesAtMs = Number.POSITIVE_INFINITY
    for (const watched of all) {
      const leftMs = remainingMs(watched.deadline)
      if (watched.signal?.aborted) watched.expire('aborted')
      else if (leftMs === 0) watched.expire('deadline')
      else wakeAt(watched, leftMs)
    }
  }

  return {
    add(watched) {
      all.add(watched)
      wakeAt(watched, remainingMs(watched.deadline))
    },
    remove: (watched) => void all.delete(watched),
    get size() {
      return all.size
    },
  }
}
