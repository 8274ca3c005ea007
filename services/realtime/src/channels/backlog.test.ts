import type { Change, Relation } from '@pando/changes/change'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Delivery } from '../changes/change-run.ts'
import { createChangeEncoder } from '../changes/encode-change.ts'
import type { TableFacts } from '../changes/facts.ts'
import { createBacklog } from './backlog.ts'

const columns = ['id', 'text', 'long'].map((name) => ({
  name,
  typeOid: 25,
  typeName: 'text',
  selectable: true,
  isKey: name === 'id',
}))
const relation: Relation = {
  oid: 1,
  schema: 'public',
  table: 'notes',
  replicaIdentity: 'default',
  columns,
  describedAt: '',
}
const facts = {
  oid: 1,
  schema: 'public',
  table: 'notes',
  columns,
  key: ['id'],
  types: [],
  hasRowSecurity: false,
} as unknown as TableFacts
const encoder = createChangeEncoder(facts, relation, undefined)

type Kind = 'insert' | 'update' | 'delete'
/** Bindings: all that happens, and one for each kind. */
const idsOf: Readonly<Record<Kind, readonly number[]>> = { insert: [1, 2], update: [1, 3], delete: [1, 4] }

const toCursor = (index: number): string => String(index).padStart(6, '0')

function toDelivery(kind: Kind, values: readonly (string | undefined)[], index: number): Delivery {
  const sides = kind === 'delete' ? { row: undefined, old: [values[0]] } : { row: values, old: undefined }
  const change: Change = {
    cursor: toCursor(index),
    kind,
    relation,
    committedAt: '2026-01-01T00:00:00.000000Z',
    ...sides,
  }
  return {
    ids: idsOf[kind],
    dataJson: encoder.encode(change, { showsOld: false }),
    cursor: change.cursor,
    commitTimestamp: change.committedAt,
    row: { change, encoder },
  }
}

/** A log in which rows are inserted, changed (now and then without the long value), deleted and inserted again. */
const logs = fc
  .array(fc.record({ id: fc.nat({ max: 3 }), isEnd: fc.boolean(), leavesLong: fc.boolean() }), { maxLength: 40 })
  .map((steps) => {
    const there = new Set<number>()
    return steps.map(({ id, isEnd, leavesLong }, index) => {
      const kind: Kind = !there.has(id) ? 'insert' : isEnd ? 'delete' : 'update'
      if (kind === 'delete') there.delete(id)
      else there.add(id)
      const long = kind === 'update' && leavesLong ? undefined : `long ${index}`
      return toDelivery(kind, [String(id), `text ${index}`, long], index + 1)
    })
  })

type Told = { readonly type: string; readonly record?: object; readonly old_record?: { readonly id: string } }
type Rows = Map<string, object>

/** What an app does that follows by these bindings. */
function apply(rows: Rows, bindings: readonly number[], { ids, dataJson }: Pick<Delivery, 'ids' | 'dataJson'>): void {
  const { type, record, old_record: old } = JSON.parse(dataJson) as Told
  for (const id of ids) {
    if (!bindings.includes(id)) continue
    const { id: key } = (record ?? old) as { id: string }
    if (type === 'DELETE') rows.delete(key)
    // A new row has to be whole: nothing is known of it yet.
    else if (type === 'INSERT') rows.set(key, record!)
    else rows.set(key, { ...rows.get(key), ...record })
  }
}

test.each([[[1]], [[2, 3, 4]]])('whoever follows by the bindings %j ends with the rows as they are', (bindings) => {
  fc.assert(
    fc.property(logs, fc.array(fc.nat({ max: 5 })), (log, takes) => {
      const [all, merged]: [Rows, Rows] = [new Map(), new Map()]
      const backlog = createBacklog<string>(1e9)
      const takeOne = (): boolean => {
        const taken = backlog.take()
        for (const delivery of taken?.deliveries ?? []) apply(merged, bindings, delivery)
        return taken !== undefined
      }
      for (const [index, delivery] of log.entries()) {
        apply(all, bindings, delivery)
        backlog.add('owner', delivery)
        for (let count = takes[index] ?? 0; count > 3; count -= 1) takeOne()
      }
      while (takeOne());
      expect(merged).toEqual(all)
      expect(backlog.bytes()).toBe(0)
    }),
  )
})

test('places rise, and no binding gets two deliveries of one place', () => {
  fc.assert(
    fc.property(logs, (log) => {
      const backlog = createBacklog<string>(1e9)
      for (const delivery of log) backlog.add('owner', delivery)
      const seen = new Set<string>()
      let last = ''
      for (let taken = backlog.take(); taken !== undefined; taken = backlog.take()) {
        for (const { ids, cursor } of taken.deliveries) {
          expect(cursor >= last).toBe(true)
          last = cursor
          for (const id of ids) {
            expect(seen.has(`${cursor} ${id}`)).toBe(false)
            seen.add(`${cursor} ${id}`)
          }
        }
      }
    }),
  )
})

test('a row that is inserted and changed is one insert with the newest values', () => {
  const backlog = createBacklog<string>(1e9)
  backlog.add('owner', toDelivery('insert', ['1', 'old', 'long'], 1))
  for (let index = 2; index < 100; index += 1)
    backlog.add('owner', toDelivery('update', ['1', `text ${index}`, undefined], index))
  const { deliveries } = backlog.take()!
  const told = deliveries.filter(({ ids }) => ids.includes(1)).map(({ dataJson }) => JSON.parse(dataJson) as Told)
  expect(told).toMatchObject([{ type: 'INSERT', record: { id: '1', text: 'text 99', long: 'long' } }])
  expect(told[0]).not.toHaveProperty('old_record')
  expect(backlog.take()).toBeUndefined()
})

test('it grows with rows and not with changes, and says when it is full', () => {
  const backlog = createBacklog<string>(10_000)
  backlog.add('owner', toDelivery('insert', ['1', 'text', 'long'], 1))
  const one = backlog.bytes()
  for (let index = 2; index < 1000; index += 1)
    expect(backlog.add('owner', toDelivery('insert', ['1', 'text', 'long'], 1))).toBe(true)
  expect(backlog.bytes()).toBe(one)
  const results = Array.from({ length: 40 }, (_, id) =>
    backlog.add('owner', toDelivery('insert', [String(id + 2), 'text', 'long'], id + 2)),
  )
  expect(results.at(0)).toBe(true)
  expect(results.at(-1)).toBe(false)
})

test('what is forgotten for one is still there for others', () => {
  const backlog = createBacklog<string>(1e9)
  backlog.add('ann', toDelivery('insert', ['1', 'text', 'long'], 1))
  backlog.add('ben', toDelivery('insert', ['1', 'text', 'long'], 1))
  expect([...backlog.owners()]).toEqual(['ann', 'ben'])
  backlog.forget('ann')
  expect(backlog.take()).toMatchObject({ owner: 'ben' })
  expect(backlog.take()).toBeUndefined()
  expect(backlog.bytes()).toBe(0)
})
