import type { KeptUse } from './cached-read.ts'

/** Every fact that the cache reports; one place elsewhere renders them as log line and metric. */
export type CacheObservation =
  | {
      readonly kind: 'read'
      readonly outcome: KeptUse['outcome'] | 'bypass'
      /** Of an answer that was kept: how long ago is the moment from which it is known to be right. */
      readonly ageMs?: number
    }
  /** An answer that was kept is not right any more. */
  | { readonly kind: 'invalidated' }
  /** Everything that was kept is let go. */
  | { readonly kind: 'emptied'; readonly because: string }
  /** Reads of a table of the publication that cannot be kept; once for each kind of request. */
  | { readonly kind: 'hindered'; readonly table: string; readonly role: string; readonly reason: string }
  /** Postgres did not say how far its log is, or who may see what. */
  | { readonly kind: 'unknown'; readonly cause: unknown }
  | { readonly kind: 'redis'; readonly isUp: boolean; readonly cause?: unknown }
  /** What Redis gave was not made by this deployment. */
  | { readonly kind: 'foreign'; readonly cause: unknown }

export type Observe = (observation: CacheObservation) => void
