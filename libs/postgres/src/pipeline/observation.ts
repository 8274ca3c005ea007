/** What kind of work a connection is open for; see `lane.ts`. */
export type LaneKind = 'shared' | 'alone' | 'write' | 'any'

/** Every fact that the hot path reports; one place elsewhere renders them as log line, metric and span. */
export type PipelineObservation =
  | { readonly kind: 'connection.opened'; readonly role: string; readonly lane: LaneKind; readonly tookMs: number }
  | { readonly kind: 'connection.refused'; readonly role: string; readonly lane: LaneKind; readonly cause: unknown }
  | { readonly kind: 'connection.closed'; readonly role: string; readonly lane: LaneKind; readonly why: CloseReason }
  | { readonly kind: 'statement.became'; readonly speed: 'fast' | 'slow'; readonly text: string }
  | { readonly kind: 'exchange.retried'; readonly role: string; readonly lane: LaneKind; readonly code: string }
  | { readonly kind: 'cancel.sent'; readonly role: string; readonly lane: LaneKind }

export type CloseReason =
  /** Unused for `connectionIdleMs`, or given up for another role. */
  | 'idle'
  /** The session settings changed, or the pools are closing. */
  | 'retired'
  /** The session differs from how it was opened: an open transaction, or a reported setting changed. */
  | 'tainted'
  /** Broken from outside: Postgres ended it, or the network did. */
  | 'lost'
  /** A cancelled statement did not end. */
  | 'stuck'

export type Observe = (observation: PipelineObservation) => void
