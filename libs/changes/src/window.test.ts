import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Change, Relation, Transaction } from './change.ts'
import { toCursor } from './cursor.ts'
import { createWindow } from './window.ts'

const relation: Relation = {
  oid: 1,
  schema: 'public',
  table: 't',
  replicaIdentity: 'default',
  columns: [],
  describedAt: toCursor(1n, 1),
}

function transactionAt(lsn: bigint, count: number, bytes = 1): Transaction {
  const committedAt = '2026-11-22T00:00:00.000000Z'
  const changes = Array.from({ length: count }, (_, index): Change => {
    return { cursor: toCursor(lsn, index + 1), kind: 'insert', relation, row: [], old: undefined, committedAt }
  })
  return { lsn, xid: 1, committedAtMs: 0, committedAt, notices: [], changes, bytes }
}

type Step =
  | { readonly does: 'add'; readonly count: number; readonly gap: bigint }
  | { readonly does: 'reach'; readonly gap: bigint }
  | { readonly does: 'wait'; readonly ms: number }

const gap = fc.bigInt({ min: 1n, max: 50n })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant('add' as const), count: fc.integer({ min: 1, max: 4 }), gap }),
  fc.record({ does: fc.constant('reach' as const), gap }),
  fc.record({ does: fc.constant('wait' as const), ms: fc.nat({ max: 60 }) }),
)

test('an answer is exactly what followed the cursor, and no answer is given that would lack something', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 8 }), (steps, windowBytes) => {
      const window = createWindow({ windowMs: 100, windowBytes })
      const start = 1000n
      window.clear(start, 0)
      const all: Change[] = []
      const given = [toCursor(start, 0)]
      let [lsn, nowMs] = [start, 0]
      for (const now of steps) {
        if (now.does === 'wait') window.expire((nowMs += now.ms))
        else if (now.does === 'reach') window.reach((lsn += now.gap), nowMs)
        else {
          const transaction = transactionAt(lsn + now.gap, now.count)
          lsn += now.gap + 5n
          window.add(transaction, lsn, nowMs)
          all.push(...transaction.changes)
          given.push(...transaction.changes.map(({ cursor }) => cursor))
        }
        given.push(toCursor(window.reachedLsn, 0))
      }
      expect(window.reachedLsn).toBe(lsn)
      for (const cursor of given) {
        const whole = all.filter((change) => change.cursor > cursor)
        expect([undefined, whole]).toContainEqual(window.since(cursor))
      }
      // What the slot may forget is nothing that a cursor within the window still needs.
      const kept = window.since(toCursor(window.leftLsn, 0))
      expect(kept).toEqual(all.filter((change) => change.cursor > toCursor(window.leftLsn, 0)))
      expect(window.size.transactions).toBeLessThanOrEqual(windowBytes)
    }),
    { numRuns: 500 },
  )
})

test('what is younger than the window stays, and is not let go', () => {
  const window = createWindow({ windowMs: 100, windowBytes: 1000 })
  window.clear(1n, 0)
  window.add(transactionAt(10n, 2), 20n, 50)
  window.expire(149)
  expect(window.since(toCursor(10n, 1))).toHaveLength(1)
  expect(window.leftLsn).toBeLessThanOrEqual(10n)
  window.expire(150)
  expect(window.since(toCursor(10n, 1))).toBe(undefined)
  expect(window.since(toCursor(10n, 2))).toEqual([])
  expect(window.leftLsn).toBe(20n)
})

test('of an idle log the place moves on, one window later', () => {
  const window = createWindow({ windowMs: 100, windowBytes: 1000 })
  window.clear(1n, 0)
  for (let ms = 1; ms <= 1000; ms++) {
    window.reach(BigInt(ms) * 10n, ms)
    window.expire(ms)
  }
  expect(window.leftLsn).toBeLessThanOrEqual(9000n)
  expect(window.leftLsn).toBeGreaterThanOrEqual(8950n)
})

test('a cursor that was never given out is no place in this log', () => {
  const window = createWindow({ windowMs: 100, windowBytes: 1000 })
  window.clear(5n, 0)
  window.add(transactionAt(10n, 2), 20n, 0)
  expect(window.since(toCursor(9n, 1))).toBe(undefined)
  expect(window.since(toCursor(10n, 3))).toBe(undefined)
  expect(window.since(toCursor(9n, 0))).toHaveLength(2)
  expect(window.since(toCursor(4n, 0))).toBe(undefined)
  expect(window.since(toCursor(21n, 0))).toBe(undefined)
  expect(window.since('000000000000000A.000001')).toBe(undefined)
})
