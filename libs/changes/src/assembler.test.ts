import { expect, test } from 'vitest'
import { createAssembler, type Assembler } from './assembler.ts'
import type { Transaction } from './change.ts'
import type { Message } from './pgoutput/message.ts'
import { encodeMessage } from './testing/encode-message.ts'

type Told = { transactions: Transaction[]; tooLarge: unknown[]; empty: bigint[] }

function assemble(transactionBytesMax = 10_000): {
  told: Told
  assembler: Assembler
  take: (message: Message) => void
} {
  const told: Told = { transactions: [], tooLarge: [], empty: [] }
  const assembler = createAssembler(
    { typeNames: new Map([[23, 'int4']]), transactionBytesMax },
    {
      committed: (transaction) => told.transactions.push(transaction),
      tooLarge: (lsn, endLsn, relations) => told.tooLarge.push([lsn, endLsn, relations.map(({ table }) => table)]),
      empty: (endLsn) => told.empty.push(endLsn),
    },
  )
  const take = (message: Message): void => {
    const bytes = encodeMessage(message)
    assembler.take(bytes, 0, bytes.length)
  }
  return { told, assembler, take }
}

const describe = (oid: number, table: string): Message => ({
  kind: 'relation',
  relation: {
    oid,
    schema: 'public',
    table,
    replicaIdentity: 'default',
    columns: [
      { name: 'id', typeOid: 23, typeModifier: -1, isKey: true },
      { name: 'mood', typeOid: 20_000, typeModifier: -1, isKey: false },
      { name: 'odd', typeOid: 20_001, typeModifier: -1, isKey: false },
    ],
  },
})
const begin: Message = { kind: 'begin', commitLsn: 255n, committedAt: 1n, xid: 7 }
const commit: Message = { kind: 'commit', commitLsn: 255n, endLsn: 300n, committedAt: 1n }
const insert = (relationOid: number, body = 'x'): Message => ({ kind: 'insert', relationOid, row: ['1', body, null] })

test('messages become a transaction with cursors and names of types', () => {
  const { told, take, assembler } = assemble()
  take(begin)
  take({ kind: 'origin', commitLsn: 1n, name: 'elsewhere' })
  take({ kind: 'type', oid: 20_000, schema: 'public', name: 'mood' })
  take(describe(5, 'people'))
  take(insert(5))
  take({ kind: 'update', relationOid: 5, old: { has: 'key', values: ['1', null, null] }, row: ['2', undefined, 'y'] })
  expect(assembler.isOpen()).toBe(true)
  take(commit)
  expect(assembler.isOpen()).toBe(false)
  const [transaction] = told.transactions
  expect(transaction).toMatchObject({ lsn: 255n, xid: 7, committedAt: '2000-01-01T00:00:00.000001Z' })
  expect(transaction?.changes.map(({ cursor, kind, row, old }) => [cursor, kind, row, old])).toEqual([
    ['00000000000000ff.000001', 'insert', ['1', 'x', null], undefined],
    ['00000000000000ff.000002', 'update', ['2', undefined, 'y'], ['1', undefined, undefined]],
  ])
  expect(transaction?.changes[0]?.relation.columns.map(({ typeName }) => typeName)).toEqual(['int4', 'mood', '20001'])
})

test('a table that is described anew is told with the first change that it was described for', () => {
  const { told, take } = assemble()
  const next = { commitLsn: 511n, endLsn: 600n }
  for (const message of [begin, describe(5, 'people'), insert(5), insert(5), describe(5, 'people'), insert(5), commit])
    take(message)
  for (const message of [{ ...begin, ...next }, insert(5), describe(5, 'people'), insert(5), { ...commit, ...next }])
    take(message)
  const places = told.transactions.flatMap(({ changes }) =>
    changes.map(({ cursor, relation: { describedAt } }) => [cursor, describedAt]),
  )
  expect(places).toEqual([
    ['00000000000000ff.000001', '00000000000000ff.000001'],
    ['00000000000000ff.000002', '00000000000000ff.000001'],
    ['00000000000000ff.000003', '00000000000000ff.000003'],
    ['00000000000001ff.000001', '00000000000000ff.000003'],
    ['00000000000001ff.000002', '00000000000001ff.000002'],
  ])
})

test('a value that an update did not touch comes from the old row where that is whole', () => {
  const { told, take } = assemble()
  for (const message of [begin, describe(5, 'people')]) take(message)
  take({
    kind: 'update',
    relationOid: 5,
    old: { has: 'full', values: ['1', 'long', null] },
    row: ['1', undefined, 'y'],
  })
  take(commit)
  expect(told.transactions[0]?.changes[0]).toMatchObject({ row: ['1', 'long', 'y'], old: ['1', 'long', null] })
})

test('a transaction without changes moves the place only', () => {
  const { told, take } = assemble()
  take(begin)
  take(commit)
  expect(told).toEqual({ transactions: [], tooLarge: [], empty: [300n] })
})

test('a transaction that is too large names the tables it has changed and holds no change', () => {
  const { told, take } = assemble(1500)
  for (const message of [begin, describe(5, 'people'), describe(6, 'places'), describe(7, 'late')]) take(message)
  take(insert(5))
  take(insert(6, 'x'.repeat(1500)))
  take(insert(7))
  take(insert(7))
  take(commit)
  expect(told).toEqual({ transactions: [], tooLarge: [[255n, 300n, ['people', 'places', 'late']]], empty: [] })
  take(begin)
  take(insert(5))
  take(commit)
  expect(told.transactions).toHaveLength(1)
})

test('a message that could not be held makes its transaction too large', () => {
  const { told, take, assembler } = assemble()
  for (const message of [begin, describe(5, 'people')]) take(message)
  take(insert(5))
  assembler.takeOversized(encodeMessage(insert(5)).subarray(0, 64))
  take(commit)
  expect(told.tooLarge).toEqual([[255n, 300n, ['people']]])
})

test('what does not fit together is refused', () => {
  const { take } = assemble()
  expect(() => take(commit)).toThrow('outside of a transaction')
  take(begin)
  expect(() => take(insert(5))).toThrow('without describing it')
  expect(() => take({ ...commit, commitLsn: 256n } as Message)).toThrow('another transaction')
})
