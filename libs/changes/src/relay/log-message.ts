import type { Change, Relation, Transaction, Values } from '../change.ts'
import { toCursorHead, type Cursor } from '../cursor.ts'
import type { Forerunner } from '../forerunner.ts'
import type { Kept } from '../window.ts'

/** The server that a log was read from, and its timeline: places in the logs of two are not to be compared. */
export type Server = string

/** A stretch of the log: everything that was committed between two places. */
export type Stretch = {
  readonly is: 'stretch'
  readonly server: Server
  /** Who has the log of this one goes on with it. */
  readonly forerunner?: Forerunner
  /** Where the log stood before it, and where it stands after it. */
  readonly from: bigint
  readonly to: bigint
  /** When the window begins here: the oldest cursor that can be answered. */
  readonly floor?: Cursor
  /** Who asked for it has more to ask for. */
  readonly hasMore: boolean
  /** Whose changes are in it; nothing is known of that where an older version tells. */
  readonly publications?: readonly string[]
  readonly transactions: readonly Kept[]
}

/** Changes may be missing, of these relations or of all; the log goes on at `to`, or nobody knows where yet. */
export type Reset = {
  readonly is: 'reset'
  readonly server: Server
  readonly from: bigint
  readonly to?: bigint
  readonly reason: string
  readonly relations?: readonly Relation[]
}

/** "I, `node`, lack what came after `since`, or have nothing yet." */
export type Ask = { readonly is: 'ask'; readonly node: string; readonly server?: Server; readonly since?: bigint }

/** The window no longer reaches back that far. */
export type TooOld = { readonly is: 'too_old' }

/** What the processes that share a log tell each other. */
export type LogMessage = Stretch | Reset | Ask | TooOld

/**
 * Lines of JSON, because nothing in JavaScript makes or reads texts faster: the message, then for each transaction a line about
 * it, one for each relation that it changed and one with its changes. LSNs are hexadecimal.
 */
export function encodeLogMessage(message: LogMessage): Buffer {
  if (message.is !== 'stretch') return Buffer.from(JSON.stringify(message, printBigint))
  const { transactions, from, to, ...rest } = message
  let text = JSON.stringify({ ...rest, from: printHex(from), to: printHex(to), count: transactions.length })
  for (const { transaction, endLsn } of transactions) text += encodeTransaction(transaction, endLsn)
  return Buffer.from(text)
}

const printHex = (lsn: bigint): string => lsn.toString(16)
const printBigint = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? printHex(value) : value)

type ChangeLine = readonly [kind: number, relation: number, row: SentValues, old: SentValues]
/** A value that was not sent is 0, and rows that there are not are 0. */
type SentValues = readonly (string | null | 0)[] | 0

const kinds = ['insert', 'update', 'delete', 'truncate'] as const

type TransactionLine = Omit<Transaction, 'lsn' | 'changes'> & {
  readonly lsn: string
  readonly endLsn: string
  readonly relations: number
}

function encodeTransaction({ changes, ...transaction }: Transaction, endLsn: bigint): string {
  const places = new Map<Relation, number>()
  const lines: ChangeLine[] = []
  for (const { kind, relation, row, old } of changes) {
    let place = places.get(relation)
    if (place === undefined) places.set(relation, (place = places.size))
    lines.push([kinds.indexOf(kind), place, toSent(row), toSent(old)])
  }
  const { lsn, ...rest } = transaction
  const head: TransactionLine = {
    ...rest,
    lsn: printHex(lsn),
    endLsn: printHex(endLsn),
    relations: places.size,
  }
  let text = `\n${JSON.stringify(head)}`
  for (const relation of places.keys()) text += `\n${printRelation(relation)}`
  return `${text}\n${JSON.stringify(lines)}`
}

const toSent = (values: Values | undefined): SentValues => {
  if (values === undefined) return 0
  if (!values.includes(undefined)) return values as readonly (string | null)[]
  return values.map((value) => (value === undefined ? 0 : value))
}

/** A relation is the same object for as long as its connection lives. */
const printed = new WeakMap<Relation, string>()

function printRelation(relation: Relation): string {
  let text = printed.get(relation)
  if (text === undefined) printed.set(relation, (text = JSON.stringify(relation)))
  return text
}

/** Reads messages of the log. Remembers the relations that it has seen, as the process that reads the log does. */
export function createLogMessageDecoder(): (message: Buffer) => LogMessage {
  const relations = new Map<string, Relation>()
  const getRelation = (text: string): Relation => {
    let relation = relations.get(text)
    if (relation === undefined) {
      // Tables are altered, and those before it are not sent any more.
      if (relations.size >= relationsMax) relations.clear()
      relations.set(text, (relation = JSON.parse(text) as Relation))
    }
    return relation
  }
  return (message) => {
    const lines = message.toString().split('\n')
    const { count: stretchLength, ...head } = JSON.parse(lines[0]!) as Head
    const places = { from: readLsn(head.from), to: readLsn(head.to), since: readLsn(head.since) }
    const transactions: Kept[] = []
    if (head.is !== 'stretch') return { ...head, ...places } as LogMessage
    for (let line = 1; transactions.length < stretchLength;) {
      const { relations: count, lsn, endLsn, ...rest } = JSON.parse(lines[line]!) as TransactionLine
      const named = lines.slice(line + 1, line + 1 + count).map(getRelation)
      const sent = JSON.parse(lines[line + 1 + count]!) as readonly ChangeLine[]
      const commit = BigInt(`0x${lsn}`)
      const changes = toChanges(sent, named, { cursorHead: toCursorHead(commit), committedAt: rest.committedAt })
      transactions.push({ transaction: { ...rest, lsn: commit, changes }, endLsn: BigInt(`0x${endLsn}`) })
      line += 2 + count
    }
    return { ...head, ...places, transactions } as LogMessage
  }
}

const relationsMax = 10_000

/** The first line; LSNs are texts. */
type Head = {
  readonly is: LogMessage['is']
  readonly from?: string
  readonly to?: string
  readonly since?: string
  readonly count: number
}

const readLsn = (text: string | undefined): bigint | undefined => (text === undefined ? undefined : BigInt(`0x${text}`))

type Place = { readonly cursorHead: string; readonly committedAt: string }

const toChanges = (lines: readonly ChangeLine[], relations: readonly Relation[], place: Place): Change[] =>
  lines.map(([kind, relation, row, old], index) => ({
    cursor: place.cursorHead + String(index + 1).padStart(6, '0'),
    kind: kinds[kind]!,
    relation: relations[relation]!,
    row: fromSent(row),
    old: fromSent(old),
    committedAt: place.committedAt,
  }))

const fromSent = (values: SentValues): Values | undefined => {
  if (values === 0) return undefined
  if (!values.includes(0)) return values as Values
  return values.map((value) => (value === 0 ? undefined : value))
}
