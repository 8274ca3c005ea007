import type { Clock } from '@pando/core/clock'
import { PostgresUnavailable } from '../errors.ts'
import type { Flight } from './flight.ts'

export type WaitQueueDeps = { readonly clock: Clock; readonly queueMax: number; readonly queueWaitMs: number }

/** Flights that wait for a connection: first come first served, bounded in length and in time. */
export type WaitQueue = {
  /** Fails the flight with reason `pool` when the queue is full. */
  push(flight: Flight): void
  /** Who came first of those that wait. */
  readonly first: Flight | undefined
  remove(flight: Flight): void
  failAll(error: Error): void
  readonly size: number
}

export function createWaitQueue(deps: WaitQueueDeps): WaitQueue {
  const { clock, queueMax, queueWaitMs } = deps
  const flights = new Set<Flight>()
  let timer: NodeJS.Timeout | undefined

  const watchFirst = () => {
    const { first } = queue
    if (timer !== undefined || first === undefined) return
    timer = setTimeout(refuseLate, Math.max(1, first.queuedAtMs + queueWaitMs - clock.monotonic())).unref()
  }
  const refuseLate = () => {
    timer = undefined
    const now = clock.monotonic()
    for (const flight of flights) {
      if (now - flight.queuedAtMs < queueWaitMs) break
      queue.remove(flight)
      flight.fail(toPoolRefusal(`No connection to Postgres became free within ${queueWaitMs} ms`))
    }
    watchFirst()
  }

  const queue: WaitQueue = {
    push(flight) {
      if (flights.size >= queueMax) {
        return flight.fail(toPoolRefusal(`${queueMax} exchanges already wait for a connection to Postgres`))
      }
      flight.queuedAtMs = clock.monotonic()
      flight.queue = queue
      flights.add(flight)
      watchFirst()
    },
    get first() {
      return flights.values().next().value
    },
    remove(flight) {
      flights.delete(flight)
      flight.queue = null
    },
    failAll(error) {
      for (const flight of flights) {
        queue.remove(flight)
        flight.fail(error)
      }
    },
    get size() {
      return flights.size
    },
  }
  return queue
}

function toPoolRefusal(message: string): PostgresUnavailable {
  return new PostgresUnavailable('pool', message, { sent: false })
}
