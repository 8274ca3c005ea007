import type { Change, Transaction } from './change.ts'
import { indexOfCursor, isCursor, toCursor, type Cursor } from './cursor.ts'

export type WindowLimits = {
  /** How long a transaction is kept, in milliseconds. */
  readonly windowMs: number
  /** How much memory the kept transactions take. */
  readonly windowBytes: number
}

/**
 * The end of the log that is held in memory. Its time is that of arrival, not of commit: after an outage of the reader,
 * what was written meanwhile is kept for as long as clients need to return.
 */
export type Window = {
  add(transaction: Transaction, endLsn: bigint, nowMs: number): void
  /** Everything before `lsn` has been read, whether it was published or not. */
  reach(lsn: bigint, nowMs: number): void
  /** Forgets what is too old. */
  expire(nowMs: number): void
  /** Begins anew at `lsn`; `floor` is the oldest cursor that can be answered then. */
  clear(lsn: bigint, nowMs: number, floor?: Cursor): void
  /** What came after a cursor; undefined when that is before the window or no place in this log. */
  since(cursor: Cursor): readonly Change[] | undefined
  /** The transactions that end after `lsn`; undefined when that is before the window. */
  after(lsn: bigint): readonly Kept[] | undefined
  /** Where the window begins, and the oldest cursor that can be answered. */
  readonly floor: { readonly lsn: bigint; readonly cursor: Cursor }
  /** Everything before it has been read. */
  readonly reachedLsn: bigint
  /** Everything before it has left the window: a slot need not keep it. */
  readonly leftLsn: bigint
  readonly size: { readonly transactions: number; readonly bytes: number }
}

/** A transaction and what comes behind it. */
export type Kept = { readonly transaction: Transaction; readonly endLsn: bigint }

type Entry = Kept & {
  readonly last: Cursor
  readonly atMs: number
}
type Mark = { readonly lsn: bigint; readonly atMs: number }

/** Of an idle log a place is noted this many times in a window, so the slot follows that much later at most. */
const marksPerWindow = 32

export function createWindow(limits: WindowLimits): Window {
  let entries: Entry[] = []
  /** Entries before it have left; they are cut off when they are half of the array. */
  let head = 0
  let marks: Mark[] = []
  let bytes = 0
  let reachedLsn = 0n
  let leftLsn = 0n
  /** The oldest cursor that can be answered. */
  let floor = toCursor(0n, 0)
  let floorLsn = 0n

  const reach = (lsn: bigint, nowMs: number): void => {
    if (lsn > reachedLsn) reachedLsn = lsn
    const newest = marks.at(-1)
    if (newest === undefined || nowMs - newest.atMs >= limits.windowMs / marksPerWindow) {
      marks.push({ lsn: reachedLsn, atMs: nowMs })
    }
  }
  const leave = (lsn: bigint): void => {
    if (lsn > leftLsn) leftLsn = lsn
  }
  const dropFirst = ({ transaction, last, endLsn }: Entry): void => {
    head++
    bytes -= transaction.bytes
    floor = last
    floorLsn = endLsn
    leave(endLsn)
  }
  const expire = (nowMs: number): void => {
    const bornMs = nowMs - limits.windowMs
    for (let first = entries[head]; first !== undefined; first = entries[head]) {
      if (first.atMs > bornMs && bytes <= limits.windowBytes) break
      dropFirst(first)
    }
    if (head > entries.length / 2) {
      entries = entries.slice(head)
      head = 0
    }
    const left = marks.findLastIndex(({ atMs }) => atMs <= bornMs)
    if (left < 0) return
    leave(marks[left]!.lsn)
    marks = marks.slice(left + 1)
  }
  /** The first entry that comes after something, which holds for all that follow it. */
  const first = (isAfter: (entry: Entry) => boolean): number => {
    let low = head
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isAfter(entries[middle]!)) high = middle
      else low = middle + 1
    }
    return low
  }
  /** A cursor with an index is one that was given out: its transaction must have been in this log. */
  const isOurs = (cursor: Cursor, next: number): boolean =>
    indexOfCursor(cursor) === 0 ||
    cursor === floor ||
    (next > head && entries[next - 1]!.last === cursor) ||
    (next < entries.length && entries[next]!.last.startsWith(cursor.slice(0, 17)))

  return {
    add: (transaction, endLsn, nowMs) => {
      const last = transaction.changes.at(-1)?.cursor ?? toCursor(transaction.lsn, 0)
      entries.push({ transaction, last, endLsn, atMs: nowMs })
      bytes += transaction.bytes
      reach(endLsn, nowMs)
      if (bytes > limits.windowBytes) expire(nowMs)
    },
    reach,
    expire,
    clear: (lsn, nowMs, oldest = toCursor(lsn, 0)) => {
      entries = []
      marks = [{ lsn, atMs: nowMs }]
      head = 0
      bytes = 0
      reachedLsn = lsn
      leftLsn = lsn
      floor = oldest
      floorLsn = lsn
    },
    since: (cursor) => {
      if (!isCursor(cursor) || cursor < floor || cursor > toCursor(reachedLsn, 0)) return undefined
      const next = first(({ last }) => last > cursor)
      if (!isOurs(cursor, next)) return undefined
      return entries.slice(next).flatMap(({ transaction: { changes } }, position) => {
        return position === 0 && changes.length > 0 && changes[0]!.cursor <= cursor
          ? changes.slice(indexOfCursor(cursor))
          : changes
      })
    },
    after: (lsn) => (lsn < floorLsn ? undefined : entries.slice(first(({ endLsn }) => endLsn > lsn))),
    get floor() {
      return { lsn: floorLsn, cursor: floor }
    },
    get reachedLsn() {
      return reachedLsn
    },
    get leftLsn() {
      return leftLsn
    },
    get size() {
      return { transactions: entries.length - head, bytes }
    },
  }
}
