import type { Cursor } from './cursor.ts'
import type { Observe } from './observation.ts'
import type { ReaderState } from './reader.ts'
import { tellAll } from './tell-all.ts'

export type ArrivalsDeps = {
  readonly state: () => ReaderState
  readonly latest: () => Cursor
  /** How long a node that follows waits for a place that it has not reached, in milliseconds. */
  readonly aheadMs: number
  readonly observe: Observe
}

/** Who waits for the log, and is told when it is there. */
export type Arrivals = {
  /** As `whenReached` of the reader. */
  wait(cursor: Cursor | undefined, callback: () => void): () => void
  /** To be called when the log has gone on, or is read in another way: after all who listen to it have been told. */
  look(): void
}

type Waiting = {
  readonly cursor: Cursor | undefined
  readonly callback: () => void
  overdue: NodeJS.Timeout | undefined
  isOverdue: boolean
}

export function createArrivals({ state, latest, aheadMs, observe }: ArrivalsDeps): Arrivals {
  const waiting = new Set<Waiting>()

  const isRead = (): boolean => state() === 'reading' || state() === 'following'
  /** Who follows is some milliseconds behind who reads; who reads has read the log to its end. */
  const isAhead = ({ cursor, isOverdue }: Waiting): boolean =>
    state() === 'following' && !isOverdue && cursor !== undefined && cursor > latest()
  const end = (one: Waiting): void => {
    clearTimeout(one.overdue)
    waiting.delete(one)
  }
  const attend = (one: Waiting): void => {
    if (!isRead()) return
    if (isAhead(one)) one.overdue ??= setTimeout(() => expire(one), aheadMs).unref()
    else {
      end(one)
      one.callback()
    }
  }
  const expire = (one: Waiting): void => {
    one.isOverdue = true
    tellAll([one], attend, observe)
  }
  return {
    wait(cursor, callback) {
      const one: Waiting = { cursor, callback, overdue: undefined, isOverdue: false }
      waiting.add(one)
      attend(one)
      return () => end(one)
    },
    look() {
      if (waiting.size > 0 && isRead()) tellAll(waiting, attend, observe)
    },
  }
}
