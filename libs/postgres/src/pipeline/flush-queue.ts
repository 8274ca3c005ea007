/** Something whose written bytes wait for the end of the turn. */
export type Flushable = { flush(): void }

/** Collects who has written in this turn of the event loop and flushes each once at its end. */
export type FlushQueue = { add(flushable: Flushable): void }

/**
 * One `setImmediate` for all connections: it runs after the sockets of this turn were read, so requests that arrived
 * together leave in one write per connection.
 */
export function createFlushQueue(): FlushQueue {
  let waiting: Flushable[] = []
  const flushAll = () => {
    const flushing = waiting
    waiting = []
    for (let i = 0; i < flushing.length; i++) flushing[i]!.flush()
  }
  return {
    add(flushable) {
      if (waiting.push(flushable) === 1) setImmediate(flushAll)
    },
  }
}
