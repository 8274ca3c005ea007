/**
 * A place in the log of changes: `<commit LSN, 16 hex digits>.<index in its transaction, 6 digits>`. The order of the texts
 * is the order of the log. The first change of a transaction has index 1; index 0 is the place before that LSN's changes.
 */
export type Cursor = string

/** The index has six digits: a transaction with more changes is told as a reset. */
export const changesPerTransactionMax = 999_999

const form = /^[0-9a-f]{16}\.[0-9]{6}$/

/** What all cursors of one transaction begin with; `index` goes on from here. */
export const toCursorHead = (lsn: bigint): string => `${lsn.toString(16).padStart(16, '0')}.`

export const toCursor = (lsn: bigint, index: number): Cursor => toCursorHead(lsn) + String(index).padStart(6, '0')

/** Whether a client's text has the form of a cursor. */
export const isCursor = (text: string): boolean => form.test(text)

export const lsnOfCursor = (cursor: Cursor): bigint => BigInt(`0x${cursor.slice(0, 16)}`)

export const indexOfCursor = (cursor: Cursor): number => Number(cursor.slice(17))
