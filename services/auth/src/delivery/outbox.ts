import type { Clock } from '@pando/core/clock'

/** A message that would have been sent. */
export type OutboxMessage = {
  readonly id: string
  /** ISO 8601. */
  readonly at: string
  readonly channel: 'email' | 'sms' | 'whatsapp'
  /** Why: the name of its template. */
  readonly kind: string
  /** An address, or the digits of a number. */
  readonly to: string
  readonly subject?: string
  readonly text: string
  readonly html?: string
  readonly code?: string
  readonly tokenHash?: string
  readonly link?: string
}

/** Where messages go while nobody delivers them: in memory, for the mailbox of development and for tests. */
export type Outbox = {
  readonly add: (message: Omit<OutboxMessage, 'id' | 'at'>) => void
  /** Newest first; those to one address or number, or all. */
  readonly list: (to?: string) => readonly OutboxMessage[]
  readonly clear: () => void
}

/** Keeps the last `messagesMax` messages. */
export function createOutbox({ clock, messagesMax }: { clock: Clock; messagesMax: number }): Outbox {
  let messages: OutboxMessage[] = []
  let count = 0
  return {
    add(message) {
      count += 1
      const kept = { id: String(count), at: new Date(clock.now()).toISOString(), ...message }
      messages = [kept, ...messages.slice(0, messagesMax - 1)]
    },
    list: (to) => (to === undefined ? messages : messages.filter((message) => message.to === to)),
    clear: () => {
      messages = []
    },
  }
}
