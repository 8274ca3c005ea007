import type { Change, Column, Relation, Transaction, Values } from './change.ts'
import { changesPerTransactionMax, type Cursor, toCursorHead } from './cursor.ts'
import { decodeMessage } from './pgoutput/decode-message.ts'
import type { Message, OldTuple, SentRelation } from './pgoutput/message.ts'
import { toEpochMs, toIsoTime } from './replication/frames.ts'

export type AssemblerSink = {
  /** A transaction is complete; everything before `endLsn` has been read. */
  committed(transaction: Transaction, endLsn: bigint): void
  /** A transaction was larger than may be held; these are the relations that it is known to have changed. */
  tooLarge(lsn: bigint, endLsn: bigint, relations: readonly Relation[]): void
  /** A transaction without a published change. */
  empty(endLsn: bigint): void
}

export type AssemblerOptions = {
  /** Built-in types by oid; the stream names only the others. */
  readonly typeNames: ReadonlyMap<number, string>
  readonly transactionBytesMax: number
}

/** Makes transactions out of the messages of one connection. */
export type Assembler = {
  /** One message of pgoutput; throws a `RangeError` when it does not fit what came before. */
  take(bytes: Buffer, start: number, end: number): void
  /** A message that was too long to be held; `head` is how it begins. */
  takeOversized(head: Buffer): void
  /** Whether a transaction has begun and not ended. */
  isOpen(): boolean
}

type Open = {
  readonly cursorHead: string
  readonly committedAt: string
  changes: Change[]
  notices: string[]
  bytes: number
  /** What a transaction that is too large has changed; its changes are forgotten. */
  tooLarge: Map<number, Relation> | undefined
}

type ChangeKind = Change['kind']
type Committed = Extract<Message, { kind: 'commit' }>

/** What a change and each of its values take besides their bytes: measured on Node 26, rows of 2 to 20 columns. */
const changeBytes = 210
const valueBytes = 40

/** Where the relation's oid begins in the messages that hold rows. */
const oidOffset = 1
const messageLetter = 'M'.charCodeAt(0)
const noticePrefix = 'pando.'

export function createAssembler(options: AssemblerOptions, sink: AssemblerSink): Assembler {
  const typeNames = new Map(options.typeNames)
  const relations = new Map<number, Relation>()
  let open: Open | undefined
  let xid = 0

  const mustKnow = (oid: number): Relation => {
    const relation = relations.get(oid)
    if (relation === undefined) throw new RangeError(`pgoutput sent a row of relation ${oid} without describing it`)
    return relation
  }
  const mustBeOpen = (): Open => {
    if (open === undefined) throw new RangeError('pgoutput sent a change outside of a transaction')
    return open
  }
  const giveUp = (transaction: Open): Map<number, Relation> => {
    const changed = new Map(transaction.changes.map(({ relation }) => [relation.oid, relation]))
    transaction.changes = []
    return changed
  }
  const add = (kind: ChangeKind, relation: Relation, rows: { row?: Values; old?: Values }, bytes: number): void => {
    const transaction = mustBeOpen()
    const { changes, committedAt } = transaction
    if (transaction.tooLarge !== undefined) return void transaction.tooLarge.set(relation.oid, relation)
    const index = changes.length + 1
    transaction.bytes += bytes + changeBytes + valueBytes * ((rows.row?.length ?? 0) + (rows.old?.length ?? 0))
    changes.push({ cursor: nextCursor(transaction), kind, relation, row: rows.row, old: rows.old, committedAt })
    if (transaction.bytes > options.transactionBytesMax || index > changesPerTransactionMax) {
      transaction.tooLarge = giveUp(transaction)
    }
  }
  const describe = (sent: SentRelation): void => {
    const describedAt = nextCursor(mustBeOpen())
    relations.set(sent.oid, { ...sent, columns: toColumns(sent, typeNames), describedAt })
  }
  const addNotice = (prefix: string, bytes: number): void => {
    const transaction = mustBeOpen()
    transaction.notices.push(prefix)
    transaction.bytes += bytes + changeBytes
  }
  const commit = (message: Committed): void => {
    const { cursorHead, committedAt, changes, notices, bytes, tooLarge } = mustBeOpen()
    open = undefined
    const { commitLsn: lsn, endLsn } = message
    if (cursorHead !== toCursorHead(lsn)) throw new RangeError('pgoutput ended another transaction than it began')
    if (tooLarge !== undefined) return sink.tooLarge(lsn, endLsn, [...tooLarge.values()])
    if (changes.length === 0 && notices.length === 0) return sink.empty(endLsn)
    const committedAtMs = toEpochMs(message.committedAt)
    sink.committed({ lsn, xid, committedAtMs, committedAt, notices, changes, bytes }, endLsn)
  }
  const take = (message: Message, bytes: number): void => {
    switch (message.kind) {
      case 'insert':
        return add('insert', mustKnow(message.relationOid), { row: message.row }, bytes)
      case 'update':
        return add('update', mustKnow(message.relationOid), toUpdateRows(message), bytes)
      case 'delete':
        return add('delete', mustKnow(message.relationOid), { old: toOldRow(message.old) }, bytes)
      case 'truncate':
        return message.relationOids.forEach((oid) => add('truncate', mustKnow(oid), {}, bytes))
      case 'begin':
        xid = message.xid
        open = begin(message)
        return
      case 'commit':
        return commit(message)
      case 'relation':
        return describe(message.relation)
      case 'type':
        return void typeNames.set(message.oid, message.name)
      case 'message':
        if (message.transactional && message.prefix.startsWith(noticePrefix)) addNotice(message.prefix, bytes)
        return
      case 'origin':
        return
    }
  }
  return {
    take: (bytes, start, end) => take(decodeMessage(bytes, start, end), end - start),
    takeOversized: (head) => {
      // Others may send messages of any size.
      if (head[0] === messageLetter) return
      const transaction = mustBeOpen()
      transaction.tooLarge ??= giveUp(transaction)
      const relation = relations.get(head.readUInt32BE(oidOffset))
      if (relation !== undefined) transaction.tooLarge.set(relation.oid, relation)
    },
    isOpen: () => open !== undefined,
  }
}

const begin = (message: Extract<Message, { kind: 'begin' }>): Open => ({
  cursorHead: toCursorHead(message.commitLsn),
  committedAt: toIsoTime(message.committedAt),
  changes: [],
  notices: [],
  bytes: 0,
  tooLarge: undefined,
})

const nextCursor = ({ cursorHead, changes }: Open): Cursor => cursorHead + String(changes.length + 1).padStart(6, '0')

/** A value that the update did not touch is taken from the old row where that was sent. */
function toUpdateRows({ row, old }: Extract<Message, { kind: 'update' }>): { row: Values; old?: Values } {
  if (old === undefined) return { row }
  const oldRow = toOldRow(old)
  if (!row.includes(undefined)) return { row, old: oldRow }
  return { row: row.map((value, index) => (value === undefined ? oldRow[index] : value)), old: oldRow }
}

/** Columns of a key are never null: null stands for the columns that are not part of it. */
const toOldRow = ({ has, values }: OldTuple): Values =>
  has === 'full' ? values : values.map((value) => value ?? undefined)

/** A type that the stream should have named and did not is shown by its number. */
const toColumns = ({ columns }: SentRelation, typeNames: ReadonlyMap<number, string>): readonly Column[] =>
  columns.map(({ name, typeOid, isKey }) => {
    return { name, typeOid, typeName: typeNames.get(typeOid) ?? String(typeOid), isKey }
  })
