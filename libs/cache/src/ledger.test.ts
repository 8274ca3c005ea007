import type { Change } from '@pando/changes/change'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLedger, schemaTable } from './ledger.ts'
import { parseSnapshot } from './snapshot.ts'

const changesOf = (tables: readonly number[]): Change[] => tables.map((oid) => ({ relation: { oid } }) as Change)
const snapshotAt = (next: number, running: readonly number[] = []) =>
  parseSnapshot(`${Math.min(next, ...running)}:${next}:${running.join()}`)!

test('what was running when a read was made is not seen, although it is told before the answer is kept', () => {
  const ledger = createLedger()
  const early = snapshotAt(12, [10])
  ledger.take({ xid: 10, notices: [], changes: changesOf([1]) })
  expect([ledger.isSeen(early, [1]), ledger.isSeen(early, [2]), ledger.isSeen(snapshotAt(12), [1])]).toEqual([
    false,
    true,
    true,
  ])
})

test('a change of the schema stands for itself', () => {
  const ledger = createLedger()
  ledger.take({ xid: 10, notices: ['pando.schema'], changes: [] })
  expect([ledger.isSeen(snapshotAt(10), [schemaTable]), ledger.isSeen(snapshotAt(11), [schemaTable])]).toEqual([
    false,
    true,
  ])
})

const step = fc.record({
  tables: fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 }),
  isRead: fc.boolean(),
  lasts: fc.nat(5),
})

test('nothing is taken for seen that was not, however much is told', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const ledger = createLedger()
      // Each transaction is told some steps after it has begun; a read sees those that were told.
      const running = new Map<number, { endsAt: number; tables: readonly number[] }>()
      const reads: { snapshot: ReturnType<typeof snapshotAt>; seen: Set<number>; since: number }[] = []
      const told: { xid: number; tables: readonly number[] }[] = []
      steps.forEach(({ tables, isRead, lasts }, now) => {
        const xid = 100 + now
        running.set(xid, { endsAt: now + lasts, tables })
        for (const [id, { endsAt, tables: written }] of running) {
          if (endsAt > now) continue
          running.delete(id)
          told.push({ xid: id, tables: written })
          ledger.take({ xid: id, notices: [], changes: changesOf(written) })
        }
        if (!isRead) return
        const snapshot = snapshotAt(xid + 1, [...running.keys()])
        reads.push({ snapshot, seen: new Set(told.map((each) => each.xid)), since: ledger.count })
      })
      for (const { snapshot, seen, since } of reads) {
        for (const table of [0, 1, 2, 3]) {
          const isSeen = told.every(({ xid, tables }) => !tables.includes(table) || seen.has(xid))
          // Of what is long ago less may be known than there was: then it is not taken for seen.
          expect(ledger.isSeen(snapshot, [table]) && !isSeen).toBe(false)
          // What was right once is looked at again only for what came since.
          expect(ledger.isSeen(snapshot, [table], since)).toBe(isSeen)
        }
      }
    }),
  )
})
