import type { Client } from './trip.ts'

export type Outgoing = { readonly id: string; readonly trip_id: number; readonly body: string }

export type Outbox = {
  add(message: Outgoing): void
  /** Sends what waits, in order; stops at what cannot be sent now. Never rejects. */
  flush(): Promise<void>
}

type OutboxOptions = {
  readonly isConnected: () => boolean
  /** Of a message that will never be taken. */
  readonly onRefused: (reason: string) => void
}

/** What PostgreSQL says of a row that is there already. */
const uniqueViolation = '23505'

/** Messages on their way. Each has its id from the beginning, so that sending one again does not say it twice. */
export function createOutbox(client: Client, { isConnected, onRefused }: OutboxOptions): Outbox {
  const waiting: Outgoing[] = []
  let isFlushing = false

  async function flush(): Promise<void> {
    if (isFlushing) return
    isFlushing = true
    for (let next = waiting[0]; next !== undefined && isConnected(); next = waiting[0]) {
      const { error, status } = await client.from('chat_messages').insert(next)
      // No answer (0), or one that may be another one later.
      if (status === 0 || status === 429 || status >= 500) break
      waiting.shift()
      if (error !== null && error.code !== uniqueViolation) onRefused(error.message)
    }
    isFlushing = false
  }

  return {
    add: (message) => {
      waiting.push(message)
      void flush()
    },
    flush,
  }
}
