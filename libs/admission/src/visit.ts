import type { Kind } from './kind.ts'

/** Why a request got no place. */
export type MissReason =
  /** As many wait already as could get a place in time, and none of them has had more than this caller. */
  | 'full'
  /** It waited as long as it may, or its own time was over. */
  | 'late'

/** How a visit ended: with an answer that counts, because what is behind could not, or in a way that says nothing. */
export type Outcome = 'answered' | 'failed' | 'other'

/** One request at a gate: it enters at once, or waits and is told, and leaves. */
export class Visit {
  /** The place of its class in the table of priorities. */
  readonly rank: number
  readonly kind: Kind
  /** In which lane it waits or is. */
  lane: 'quick' | 'slow' = 'quick'
  isInside = false
  /** Without the time for which the process had stood still before. */
  enteredAtMs = 0
  /** The limit's generation when it entered. */
  generation = 0
  /** Only of one that waits. */
  wait: Wait | undefined

  constructor(rank: number, kind: Kind) {
    this.rank = rank
    this.kind = kind
  }
}

/** What is known of a request that waits. */
export type Wait = {
  /** Whose turn it counts as: a user, else a key, else a network. */
  readonly caller: string
  /** After this instant nobody waits for its answer. */
  readonly deadlineMs: number
  /** Whether its client has hung up. */
  readonly isGone: () => boolean
  /** Told once: it is inside, or why it is not. */
  readonly settle: (missed: MissReason | undefined) => void
}
