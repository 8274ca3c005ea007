import type { Client } from './trip.ts'

export type Outgoing = { readonly id: string; readonly trip_id: number; readonly body: string }

export type Outbox = {
  add(message: Outgoing): void
  /** Sends what waits, in order; stops at what cannot be sent now. */
  flush(): Promise<void>
}

/** What PostgreSQL says of a row that is there already. */
const uniqueViolation = '23505'

/** Messages on their way. Each has its id from the beginning, so that sending one again does not say it twice. */
export function createOutbox(client: Client, isConnected: () => boolean): Outbox {
  const waiting: Outgoing[] = []
  let isFlushing = false

  async function flush(): Promise<void> {
    if (isFlushing) return
    isFlushing = true
    try {
      for (let next = waiting[0]; next !== undefined && isConnected(); next = waiting[0]) {
        const { error } = await client.from('chat_messages').insert(next)
        if (error !== null && error.code !== uniqueViolation) return
        waiting.shift()
      }
    } finally {
      isFlushing = false
    }
  }

  return {
    add: (message) => {
      waiting.push(message)
      void flush()
    },
    flush,
  }
}
