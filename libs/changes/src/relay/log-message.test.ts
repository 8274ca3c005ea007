import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Change, Relation, Values } from '../change.ts'
import { toCursor } from '../cursor.ts'
import type { Kept } from '../window.ts'
import { createLogMessageDecoder, encodeLogMessage } from './log-message.ts'
import { createPieceJoiner, pieceBytesMax, splitMessage } from './pieces.ts'

const lsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const values: fc.Arbitrary<Values | undefined> = fc.option(
  fc.array(fc.oneof(text, fc.constantFrom(null, undefined, '0', '\n', '\u2028', '\0')), { maxLength: 5 }),
  { nil: undefined },
)
const relation: fc.Arbitrary<Relation> = fc.record({
  oid: fc.nat(),
  schema: text,
  table: text,
  replicaIdentity: fc.constantFrom('default' as const, 'nothing' as const, 'full' as const, 'index' as const),
  columns: fc.array(fc.record({ name: text, typeOid: fc.nat(), typeName: text, isKey: fc.boolean() }), {
    maxLength: 3,
  }),
  describedAt: lsn.map((at) => toCursor(at, 1)),
})
const kind = fc.constantFrom('insert' as const, 'update' as const, 'delete' as const, 'truncate' as const)
const kept: fc.Arbitrary<Kept> = fc
  .record({
    at: lsn,
    endLsn: lsn,
    xid: fc.nat(),
    committedAtMs: fc.double({ noNaN: true, noDefaultInfinity: true }).map((ms) => ms + 0),
    committedAt: text,
    notices: fc.array(text, { maxLength: 2 }),
    bytes: fc.nat(),
    relations: fc.array(relation, { minLength: 1, maxLength: 3 }),
    rows: fc.array(fc.record({ kind, row: values, old: values, place: fc.nat(2) }), { maxLength: 6 }),
  })
  .map(({ at, endLsn, relations, rows, ...rest }) => {
    const changes = rows.map(({ place, ...change }, index): Change => {
      const found = relations[place % relations.length]!
      return { ...change, cursor: toCursor(at, index + 1), relation: found, committedAt: rest.committedAt }
    })
    return { endLsn, transaction: { ...rest, lsn: at, changes } }
  })
const stretch = fc.record({
  is: fc.constant('stretch' as const),
  server: text,
  from: lsn,
  to: lsn,
  floor: fc.option(
    lsn.map((at) => toCursor(at, 3)),
    { nil: undefined },
  ),
  hasMore: fc.boolean(),
  transactions: fc.array(kept, { maxLength: 4 }),
})

test('a stretch of the log comes out as it went in', () => {
  const decode = createLogMessageDecoder()
  fc.assert(
    fc.property(stretch, (sent) => {
      expect(decode(encodeLogMessage(sent))).toEqual(sent)
    }),
  )
})

test('everything else that is told comes out as it went in', () => {
  const decode = createLogMessageDecoder()
  const server = '1.1'
  for (const message of [
    { is: 'reset', server, from: 5n, to: 2n ** 63n, reason: 'too large', relations: [] },
    { is: 'reset', server, from: 0n, reason: 'gone' },
    { is: 'ask', node: 'me', server, since: 0n },
    { is: 'ask', node: 'me' },
    { is: 'too_old' },
  ] as const) {
    expect(decode(encodeLogMessage(message))).toEqual({ from: undefined, to: undefined, since: undefined, ...message })
  }
})

test('the relations of one log are the same objects, and one that is altered or described anew is another', () => {
  const decode = createLogMessageDecoder()
  const place: Relation = {
    oid: 1,
    schema: 'public',
    table: 't',
    replicaIdentity: 'default',
    columns: [],
    describedAt: toCursor(1n, 1),
  }
  const read = (found: Relation): Relation | undefined => {
    const committedAt = ''
    const change: Change = {
      cursor: '',
      kind: 'truncate',
      relation: found,
      row: undefined,
      old: undefined,
      committedAt,
    }
    const transaction = { lsn: 1n, xid: 1, committedAtMs: 0, committedAt, notices: [], changes: [change], bytes: 1 }
    const message = decode(
      encodeLogMessage({
        is: 'stretch',
        server: '',
        from: 0n,
        to: 1n,
        hasMore: false,
        transactions: [{ transaction, endLsn: 1n }],
      }),
    )
    return message.is === 'stretch' ? message.transactions[0]?.transaction.changes[0]?.relation : undefined
  }
  expect(read({ ...place })).toBe(read({ ...place }))
  expect(read({ ...place, table: 'other' })).not.toBe(read(place))
  expect(read({ ...place, describedAt: toCursor(2n, 1) })).not.toBe(read(place))
})

test('a message comes out of its pieces, and not when one is missing', () => {
  const bytes = Buffer.alloc(3 * pieceBytesMax + 5, 'abcdefg')
  const joiner = createPieceJoiner(8 * pieceBytesMax)
  const take = (pieces: Buffer[]): (boolean | undefined)[] =>
    pieces.map((piece) => joiner.take(piece, 'a')?.equals(bytes))
  const pieces = splitMessage(bytes, 1)
  const next = splitMessage(bytes, 2)
  expect(take(pieces)).toEqual([undefined, undefined, undefined, true])
  expect(take([...pieces.slice(0, 2), ...pieces.slice(3), ...next])).toEqual([
    ...Array.from({ length: 6 }, () => undefined),
    true,
  ])
  expect(take([...pieces.slice(0, 2), ...next.slice(2)])).toEqual([undefined, undefined, undefined, undefined])
  expect(joiner.take(splitMessage(Buffer.alloc(0), 3)[0]!, 'a')).toEqual(Buffer.alloc(0))
  expect(() => joiner.take(Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0]), 'a')).toThrow(RangeError)
})
