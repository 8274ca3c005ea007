import type { Transaction } from '@pando/changes/change'
import { isLongOver, isVisible, laterXid, type Snapshot } from './snapshot.ts'

/** Stands for everything that says who may see what, of which the log tells by a notice (`pando.schema`). */
export const schemaTable = 0

/** Which transactions the log has told of, by table: what says whether an answer may still be given. */
export type Ledger = {
  take(transaction: Pick<Transaction, 'xid' | 'notices' | 'changes'>): void
  /**
   * Whether everything that the log has told of these tables was seen by a snapshot. A commit is in the log a moment before
   * others can see it, so it is not enough that a read came after its change was told.
   */
  isSeen(snapshot: Snapshot, tables: readonly number[], since?: number): boolean
  /** Counts transactions: what was seen at one number still is at the same one. */
  readonly count: number
}

/** Of each table so many of the newest transactions are known; older ones must be over for a snapshot. */
const xidsMax = 64

type TableLog = { last: number; xids: number[]; forgotten: number | undefined }

export function createLedger(): Ledger {
  const logs = new Map<number, TableLog>()
  let count = 0

  const note = (table: number, xid: number): void => {
    const log = logs.get(table) ?? { last: 0, xids: [], forgotten: undefined }
    logs.set(table, log)
    log.last = count
    if (log.xids.at(-1) === xid) return
    log.xids.push(xid)
    if (log.xids.length <= xidsMax) return
    const oldest = log.xids.shift()!
    log.forgotten = log.forgotten === undefined ? oldest : laterXid(oldest, log.forgotten)
  }
  const sees = (snapshot: Snapshot, { xids, forgotten }: TableLog): boolean =>
    (forgotten === undefined || isLongOver(snapshot, forgotten)) && xids.every((xid) => isVisible(snapshot, xid))

  return {
    take: ({ xid, notices, changes }) => {
      count += 1
      let table: number | undefined
      for (const { relation } of changes) {
        if (relation.oid !== table) note((table = relation.oid), xid)
      }
      if (notices.includes('pando.schema')) note(schemaTable, xid)
    },
    isSeen: (snapshot, tables, since = -1) =>
      since === count ||
      tables.every((table) => {
        const log = logs.get(table)
        return log === undefined || log.last <= since || sees(snapshot, log)
      }),
    get count() {
      return count
    },
  }
}
