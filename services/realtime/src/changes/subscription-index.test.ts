import type { Change, Relation } from '@pando/changes/change'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFilterTest } from './filter-test.ts'
import { findMissed } from './find-missed.ts'
import type { ChangeRequest, Filter } from './request.ts'
import { createSubscriptionIndex, type Indexed } from './subscription-index.ts'

const names = ['a', 'b']
const int4 = 23
const columns = names.map((name) => ({ name, typeOid: int4, typeName: 'int4', isKey: false }))
const value = fc.constantFrom('1', '2', '3')

const filter: fc.Arbitrary<Filter> = fc
  .record({
    column: fc.constantFrom(...names),
    isList: fc.boolean(),
    values: fc.array(value, { minLength: 1, maxLength: 2 }),
    negate: fc.boolean(),
  })
  .map(({ column, isList, values, negate }) => {
    return { column, operator: isList ? 'in' : 'eq', value: isList ? `{${values.join(',')}}` : values[0]!, negate }
  })

const request: fc.Arbitrary<ChangeRequest> = fc.record({
  event: fc.constantFrom('*', 'INSERT', 'UPDATE', 'DELETE'),
  schema: fc.constantFrom('s', 't', '*'),
  table: fc.constantFrom('x', 'y', '*'),
  filters: fc.array(filter, { maxLength: 2 }),
  select: fc.constant(undefined),
})

const change = fc.record({
  kind: fc.constantFrom('INSERT' as const, 'UPDATE' as const, 'DELETE' as const),
  schema: fc.constantFrom('s', 't'),
  table: fc.constantFrom('x', 'y'),
  values: fc.tuple(fc.option(value), fc.option(value)),
  /** As after an `alter column … type`. */
  hasOtherType: fc.boolean(),
})

const lower = { INSERT: 'insert', UPDATE: 'update', DELETE: 'delete' } as const

function toEntry(each: ChangeRequest): Indexed {
  const facts = {
    typeName: 'int4',
    typeText: 'integer',
    collation: 'deterministic',
    collationOid: 0,
    isGenerated: false,
    selectable: true,
    isEnum: false,
  } as const
  return {
    request: each,
    tests: each.filters.map((one) => createFilterTest(one, { ...facts, name: one.column, typeOid: int4 }, one.value)),
  }
}

const passes = ({ tests }: Indexed, values: readonly (string | null)[]): boolean =>
  tests.every(({ filter: { negate }, column, holds }) => holds(values[names.indexOf(column)]!) === !negate)

test('everybody whom a change concerns is found, and nobody of another table, kind or value', () => {
  fc.assert(
    fc.property(fc.array(request), fc.array(fc.nat()), fc.array(change), (requests, removed, changes) => {
      const index = createSubscriptionIndex<Indexed>()
      const entries = new Set(requests.map(toEntry))
      for (const entry of entries) index.add(entry)
      for (const at of removed) {
        const entry = [...entries][at]
        if (entry === undefined) continue
        index.remove(entry)
        entries.delete(entry)
      }
      for (const { kind, schema, table, values, hasOtherType } of changes) {
        const typed = hasOtherType ? columns.map((column) => ({ ...column, typeOid: 25 })) : columns
        const relation: Relation = {
          oid: 1,
          schema,
          table,
          replicaIdentity: 'default',
          columns: typed,
          describedAt: '',
        }
        const found = new Set<Indexed>()
        index.visit(relation, kind, values, (entry) => found.add(entry))
        const wrong = [...entries].filter((entry) => {
          const { request: asked, tests } = entry
          const isMeant =
            ['*', kind].includes(asked.event) &&
            ['*', schema].includes(asked.schema) &&
            ['*', table].includes(asked.table)
          if (!isMeant) return found.has(entry)
          if (passes(entry, values)) return !found.has(entry)
          const looked = tests.find(({ equalTo }) => equalTo !== undefined)
          const isElsewhere = looked !== undefined && looked.holds(values[names.indexOf(looked.column)]!) !== true
          return isElsewhere && !hasOtherType && found.has(entry)
        })
        expect(wrong).toEqual([])
        for (const entry of found) expect(entries).toContain(entry)
      }
    }),
  )
})

test('who comes back finds in the log all that concerns them, and nothing of another table, kind or value', () => {
  fc.assert(
    fc.property(fc.array(request), fc.array(change), (requests, changes) => {
      const bindings = requests.map((each, id) => ({ id, ...toEntry(each) }))
      const log = changes.map(({ kind, schema, table, values, hasOtherType }): Change => {
        const typed = hasOtherType ? columns.map((column) => ({ ...column, typeOid: 25 })) : columns
        const relation: Relation = {
          oid: 1,
          schema,
          table,
          replicaIdentity: 'default',
          columns: typed,
          describedAt: '',
        }
        const rows = kind === 'DELETE' ? { row: undefined, old: values } : { row: values, old: undefined }
        return { cursor: '', kind: lower[kind], relation, ...rows, committedAt: '' }
      })
      const missed = new Map(findMissed(bindings, log).map((each) => [each.change, each.bindings]))
      for (const [at, { kind, schema, table, values, hasOtherType }] of changes.entries()) {
        const isMeant = ({ request: asked }: Indexed): boolean =>
          ['*', kind].includes(asked.event) &&
          ['*', schema].includes(asked.schema) &&
          ['*', table].includes(asked.table)
        const mayPass = (entry: Indexed): boolean =>
          hasOtherType ||
          entry.tests.every(({ equalTo, column, holds }) => {
            return equalTo === undefined || holds(values[names.indexOf(column)]!) === true
          })
        const concerned = bindings.filter((entry) => isMeant(entry) && mayPass(entry))
        expect(missed.get(log[at]!) ?? []).toEqual(concerned)
      }
    }),
  )
})
