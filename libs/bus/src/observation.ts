import type { Delivery } from './bus.ts'

export type CarrierName = 'postgres' | 'redis'

/** Every fact that the bus reports; one place elsewhere renders them as log line, metric and span. */
export type BusObservation =
  | { readonly kind: 'message.sent'; readonly by: CarrierName; readonly delivery: Delivery; readonly bytes: number }
  | { readonly kind: 'message.received'; readonly by: CarrierName; readonly delivery: Delivery; readonly bytes: number }
  /** `too_large`: above `bus.message_bytes_max`. `away`: the carrier is not there, or more waits than it may. */
  | {
      readonly kind: 'message.dropped'
      readonly delivery: Delivery
      readonly bytes: number
      readonly why: 'too_large' | 'away'
    }
  /** A message came again and was not passed on. */
  | { readonly kind: 'message.double'; readonly by: CarrierName }
  /** Something that is no message of the bus, or only parts of one. */
  | { readonly kind: 'message.unreadable'; readonly by: CarrierName; readonly cause: unknown }
  /** Messages were sent again because another process lacked them. */
  | { readonly kind: 'messages.repeated'; readonly messages: number }
  /** Watchers were told that messages may be missing. */
  | {
      readonly kind: 'gap'
      readonly why: 'postgres_was_away' | 'redis_was_away' | 'sender_dropped' | 'too_old' | 'gone'
    }
  | { readonly kind: 'carrier.up'; readonly carrier: CarrierName }
  /** Reported once until it is up again. */
  | { readonly kind: 'carrier.down'; readonly carrier: CarrierName; readonly cause: unknown }
  | { readonly kind: 'node.here'; readonly nodeId: string; readonly nodes: number }
  | { readonly kind: 'node.gone'; readonly nodeId: string; readonly nodes: number; readonly saidGoodbye: boolean }
  | { readonly kind: 'listener.failed'; readonly cause: unknown }

export type Observe = (observation: BusObservation) => void
