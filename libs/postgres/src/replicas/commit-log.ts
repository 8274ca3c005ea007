import type { Clock } from '@pando/core/clock'
import { beyondEveryLsn, laterLsn, type Lsn } from '../lsn.ts'

export type CommitLogOptions = {
  readonly clock: Clock
  /** How long it is kept who wrote what: the oldest state of a replica that may answer anybody. */
  readonly lagMsMax: number
  /** Writers that are kept; of more, the oldest commits count for everybody. */
  readonly writersMax: number
}

/**
 * Remembers how far the log must have been replayed where a caller reads, so that they see what they wrote.
 *
 * Nothing is ever forgotten: what is older than `lagMsMax`, or too much to be kept by caller, becomes the floor, which
 * holds for everybody. A replica below the floor answers nobody, so the floor is also the bound on the lag.
 */
export type CommitLog = {
  /** Where a server must have come to answer this caller. */
  neededBy(caller: string): Lsn
  /** The caller's write is committed before this place. */
  note(caller: string, lsn: Lsn): void
  /**
   * The caller's write may have been committed, at a place that is not known: for `lagMsMax` the primary alone answers.
   * Of more than `writersMax` the oldest is let go.
   */
  doubt(caller: string): void
  /** Anybody may have written what is not known here: the primary alone answers, until it has said how far it is. */
  doubtAll(): void
  /** Where the primary's log was, asked for at `askedAtMs`; to be told often, as this lets time pass. */
  reached(lsn: Lsn, askedAtMs: number): void
  /** From now on nobody is answered from before this place. */
  raise(lsn: Lsn): void
  /** Another server is the primary: places of before mean nothing any more, and `floor` holds for everybody. */
  restart(floor: Lsn): void
  readonly size: number
}

type Commit = { readonly lsn: Lsn; readonly atMs: number }

export function createCommitLog({ clock, lagMsMax, writersMax }: CommitLogOptions): CommitLog {
  // All three in the order of time.
  const commits = new Map<string, Commit>()
  const doubts = new Map<string, number>()
  const passed: Commit[] = []
  let floor: Lsn = 0n
  let doubtedAllAtMs: number | undefined

  const raise = (lsn: Lsn): void => {
    floor = laterLsn(floor, lsn)
  }
  const foldOldest = (): void => {
    const [caller, { lsn }] = commits.entries().next().value!
    commits.delete(caller)
    raise(lsn)
  }

  return {
    neededBy(caller) {
      if (doubtedAllAtMs !== undefined || doubts.has(caller)) return beyondEveryLsn
      const own = commits.get(caller)
      return own === undefined ? floor : laterLsn(own.lsn, floor)
    },
    note(caller, lsn) {
      const before = commits.get(caller)
      // Put in anew, at the end.
      if (before !== undefined) commits.delete(caller)
      commits.set(caller, { lsn: laterLsn(lsn, before?.lsn ?? 0n), atMs: clock.monotonic() })
      if (commits.size > writersMax) foldOldest()
    },
    doubt(caller) {
      doubts.delete(caller)
      doubts.set(caller, clock.monotonic())
      if (doubts.size > writersMax) doubts.delete(doubts.keys().next().value!)
    },
    doubtAll() {
      doubtedAllAtMs = clock.monotonic()
    },
    reached(lsn, askedAtMs) {
      const oldestMs = clock.monotonic() - lagMsMax
      if (doubtedAllAtMs !== undefined && askedAtMs > doubtedAllAtMs) {
        doubtedAllAtMs = undefined
        raise(lsn)
      }
      passed.push({ lsn: toEndOfRecord(lsn), atMs: askedAtMs })
      for (const { atMs } of commits.values()) {
        if (atMs > oldestMs) break
        foldOldest()
      }
      for (const [caller, atMs] of doubts) {
        if (atMs > oldestMs) break
        doubts.delete(caller)
        // By now it is done or undone, before this place.
        raise(lsn)
      }
      for (let first = passed[0]; first !== undefined && first.atMs <= oldestMs; first = passed[0]) {
        raise(first.lsn)
        passed.shift()
      }
    },
    raise,
    restart(lsn) {
      commits.clear()
      doubts.clear()
      passed.length = 0
      floor = lsn
    },
    get size() {
      return commits.size + doubts.size
    },
  }
}

const pageBytes = 8192n
const pageHeaderBytesMax = 40n

/**
 * The primary's next place may lie behind the header of a page on which nothing is yet; what replicas have replayed ends
 * before it, on an idle server for long.
 */
export function toEndOfRecord(lsn: Lsn): Lsn {
  const offset = lsn % pageBytes
  return offset <= pageHeaderBytesMax ? lsn - offset : lsn
}
