import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nameKey } from './catalogue.ts'
import type { Relationship } from './catalogue.ts'
import { deriveRelationships } from './relationships.ts'
import type { ForeignKey, ReachableRelation, RelationshipSource } from './relationships.ts'
import { runAtOnce } from './slices.ts'

function table(name: string, columns: readonly string[], primaryKey: readonly string[] = []): ReachableRelation {
  const columnNames = new Map(columns.map((column, at) => [at + 1, column]))
  return { name: { schema: 'app', name }, isView: false, primaryKey, columnNames }
}

function derive(source: Partial<RelationshipSource>): Relationship[] {
  const empty = { relations: new Map(), foreignKeys: [], uniqueKeys: [], viewOrigins: new Map(), computed: [] }
  return [...runAtOnce(deriveRelationships({ ...empty, ...source })).values()].flat()
}

const text = ({ from, to, via }: Relationship) => `${from.name} ${via.kind} ${to.name}`

const people = table('people', ['id', 'boss_id'], ['id'])
const posts = table('posts', ['id', 'author_id', 'editor_id'], ['id'])
const author: ForeignKey = { name: 'author', table: '2', columns: [2], referencedTable: '1', referencedColumns: [1] }

test('a foreign key whose columns are unique in any order relates one to one', () => {
  const key = { ...author, columns: [3, 2], referencedColumns: [1, 2] }
  const relations = new Map([
    ['1', people],
    ['2', posts],
  ])
  const uniqueKeys = [{ table: '2', columns: [2, 3] }]
  expect(derive({ relations, foreignKeys: [key], uniqueKeys }).map(text)).toEqual([
    'posts one-to-one people',
    'people one-to-one posts',
  ])
})

test('a foreign key from or to a table that is not exposed relates nothing', () => {
  expect(derive({ relations: new Map([['2', posts]]), foreignKeys: [author] })).toEqual([])
  expect(derive({ relations: new Map([['1', people]]), foreignKeys: [author] })).toEqual([])
})

test('a view that shows two columns twice is related in each way to choose them', () => {
  const view: ReachableRelation = { ...table('shown', ['a', 'b', 'c', 'd']), isView: true }
  const origin = (column: number) => ({ relation: '2', column })
  const viewOrigins = new Map([
    [
      '3',
      new Map([
        [1, origin(2)],
        [2, origin(2)],
        [3, origin(3)],
        [4, origin(3)],
      ]),
    ],
  ])
  const relations = new Map([
    ['1', people],
    ['3', view],
  ])
  const key = { ...author, columns: [2, 3], referencedColumns: [1, 2] }
  const found = derive({ relations, foreignKeys: [key], viewOrigins }).filter(({ from }) => from.name === 'shown')
  expect(found.map(({ via }) => ('columns' in via ? via.columns : []))).toEqual([
    [
      ['a', 'id'],
      ['c', 'boss_id'],
    ],
    [
      ['a', 'id'],
      ['d', 'boss_id'],
    ],
    [
      ['b', 'id'],
      ['c', 'boss_id'],
    ],
    [
      ['b', 'id'],
      ['d', 'boss_id'],
    ],
  ])
})

test('every relationship has one that leads back, with its columns the other way round', () => {
  const columns = ['k1', 'k2', 'k3', 'k4']
  const keys = fc.array(
    fc.record({
      table: fc.constantFrom('1', '2', '3', '4'),
      referencedTable: fc.constantFrom('1', '2', '3', '4'),
      pairs: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })), {
        minLength: 1,
        maxLength: 2,
        selector: ([column]) => column,
      }),
    }),
    { maxLength: 8 },
  )
  const primaryKeys = fc.array(fc.subarray(columns), { minLength: 4, maxLength: 4 })
  fc.assert(
    fc.property(keys, primaryKeys, (keys, primaryKeys) => {
      const relations = new Map(primaryKeys.map((own, at) => [`${at + 1}`, table(`t${at + 1}`, columns, own)]))
      const foreignKeys = keys.map(({ pairs, ...key }, at) => ({
        ...key,
        name: `key${at}`,
        columns: pairs.map(([column]) => column),
        referencedColumns: pairs.map(([, column]) => column),
      }))
      const uniqueKeys = foreignKeys.filter((_, at) => at % 3 === 0)
      const found = derive({ relations, foreignKeys, uniqueKeys })
      const texts = new Set(found.map((one) => JSON.stringify(one)))
      for (const one of found) expect(texts).toContain(JSON.stringify(back(one)))
    }),
  )
})

function back({ from, to, isSelf, throughView, via }: Relationship): unknown {
  const ends = { from: to, to: from, isSelf, throughView }
  if (via.kind === 'computed') return ends
  if (via.kind === 'many-to-many') {
    const { kind, junction, fromConstraint, fromColumns, toConstraint, toColumns } = via
    return {
      ...ends,
      via: {
        kind,
        junction,
        fromConstraint: toConstraint,
        fromColumns: toColumns,
        toConstraint: fromConstraint,
        toColumns: fromColumns,
      },
    }
  }
  const kinds = { 'many-to-one': 'one-to-many', 'one-to-many': 'many-to-one', 'one-to-one': 'one-to-one' } as const
  const columns = via.columns.map(([a, b]) => [b, a])
  return { ...ends, via: { kind: kinds[via.kind], constraint: via.constraint, columns, keyInFrom: !via.keyInFrom } }
}

test('the map is keyed by where relationships start', () => {
  const relations = new Map([
    ['1', people],
    ['2', posts],
  ])
  const empty = { uniqueKeys: [], viewOrigins: new Map(), computed: [] }
  const found = runAtOnce(deriveRelationships({ relations, foreignKeys: [author], ...empty }))
  expect([...found.keys()].toSorted()).toEqual([nameKey(people.name), nameKey(posts.name)])
})
