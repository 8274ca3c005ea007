import type { ReaderState } from './reader.ts'

/** Every fact that the reader reports; one place elsewhere renders them as log line, metric and span. */
export type ChangesObservation =
  | { readonly kind: 'reader.state'; readonly state: ReaderState }
  /** Takes until every transaction that writes just now has ended. */
  | { readonly kind: 'slot.creating'; readonly slot: string }
  | { readonly kind: 'slot.created'; readonly slot: string; readonly tookMs: number }
  /** The slot could not be used any more and was dropped; the log begins anew. */
  | { readonly kind: 'slot.given_up'; readonly slot: string; readonly reason: string }
  | {
      readonly kind: 'slot.checked'
      readonly slot: string
      /** WAL that the server keeps for the slot. */
      readonly retainedBytes: number
      /** How much more it may keep before it gives the slot up; null when there is no bound. */
      readonly leftBytes: number | null
      readonly windowBytes: number
      readonly windowTransactions: number
    }
  /** `from` is where reading goes on. */
  | { readonly kind: 'stream.started'; readonly slot: string; readonly from: string }
  | { readonly kind: 'stream.lost'; readonly cause: unknown; readonly retryMs: number }
  | { readonly kind: 'publications.missing'; readonly names: readonly string[] }
  /** `lagMs` is from commit (the server's clock) to here (ours). */
  | {
      readonly kind: 'transaction.read'
      readonly changes: number
      readonly bytes: number
      readonly lagMs: number
    }
  /** This process lacks something of what another one reads, or has nothing of it yet. */
  | { readonly kind: 'relay.asked'; readonly isNew: boolean }
  | { readonly kind: 'relay.answered'; readonly transactions: number; readonly hasMore: boolean }
  /** A message to or of another process could not be made or read. */
  | { readonly kind: 'relay.failed'; readonly cause: unknown }
  | { readonly kind: 'log.reset'; readonly reason: string }
  | { readonly kind: 'listener.failed'; readonly cause: unknown }

export type Observe = (observation: ChangesObservation) => void
