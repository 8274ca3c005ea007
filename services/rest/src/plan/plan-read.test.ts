import type { Column, Relation, Relationship } from '@pando/catalogue/catalogue'
import { bareTable, catalogueOf } from '@pando/catalogue/testing/empty-catalogue'
import { describe, expect, it } from 'vitest'
import { parseRequest } from '../request/parse-request.ts'
import { pageClass } from './page-class.ts'
import { planRead } from './plan-read.ts'
import type { ReadPlan } from './read-plan.ts'
import { createScope } from './scope.ts'
import { libraryConfig } from './testing/library-config.ts'

const tasks = { schema: 'api', name: 'tasks' }
const people = { schema: 'api', name: 'people' }

function column(name: string, baseType: string): Column {
  const typeName = { schema: 'pg_catalog', name: baseType }
  const facts = { nullable: true, generated: false, updatable: true, isArray: false }
  return { name, type: baseType, baseType, typeName, ...facts }
}

function table(name: typeof tasks, columns: readonly Column[]): Relation {
  return { ...bareTable(name), primaryKey: ['id'], columns: new Map(columns.map((each) => [each.name, each])) }
}

const relations = [
  table(tasks, [
    column('id', 'integer'),
    column('owner', 'integer'),
    column('tags', 'text[]'),
    column('data', 'jsonb'),
  ]),
  table(people, [column('id', 'integer'), column('name', 'text')]),
]

const owner = { isSelf: false, throughView: false }
const relationships: Relationship[] = [
  {
    ...owner,
    from: tasks,
    to: people,
    via: { kind: 'many-to-one', constraint: 'tasks_owner_fkey', columns: [['owner', 'id']], keyInFrom: true },
  },
  {
    ...owner,
    from: people,
    to: tasks,
    via: { kind: 'one-to-many', constraint: 'tasks_owner_fkey', columns: [['id', 'owner']], keyInFrom: false },
  },
]

function plan(rawQuery: string, maxRows?: number): ReadPlan {
  const request = parseRequest({ method: 'GET', path: '/tasks', rawQuery, header: () => undefined }, libraryConfig)
  const config = { ...libraryConfig, maxRows }
  const scope = createScope({ catalogue: catalogueOf({ relations, relationships }), config }, 'api')
  const [relation] = relations
  const target = {
    source: { kind: 'relation', name: tasks },
    alias: scope.alias('tasks'),
    relation,
    use: 'root',
  } as const
  const asked = { select: request.query.select, parts: request.query, values: request.query.values }
  return planRead(scope, { ...target, page: pageClass(request, config) }, asked)
}

describe('limits', () => {
  it('are left out where the filters leave one row at most', () => {
    expect(plan('id=eq.1', 1000).limit).toBeUndefined()
    expect(plan('id=eq.1&limit=5').limit).toBeUndefined()
    expect(plan('id=eq.1&offset=1&limit=1').limit).toBeDefined()
    for (const query of ['id=gt.1', 'id=not.eq.1', 'id=eq(any).{1}', 'owner=eq.1', 'or=(id.eq.1,id.eq.2)']) {
      expect(plan(query, 1000).limit).toEqual({ kind: 'root', page: { kind: 'max', rows: 1000 } })
    }
  })

  it('reach what is embedded, but not a to-one', () => {
    const [person] = plan('select=people(tasks(id))', 7).embeds
    expect(person?.read.limit).toBeUndefined()
    expect(person?.read.embeds[0]?.read.limit).toMatchObject({ max: 7 })
  })
})

describe('names', () => {
  it('every resource of a statement has an alias of its own', () => {
    const read = plan('select=people(tasks(people(name))),again:people(name)')
    const aliases = (each: ReadPlan): string[] => [each.alias, ...each.embeds.flatMap((embed) => aliases(embed.read))]
    expect(new Set(aliases(read)).size).toBe(5)
  })

  it('a path means the resource shown by that name before one that is only called so', () => {
    const read = plan('select=boss:people(id),people(id)&people.id=eq.1&boss.id=eq.2')
    expect(read.embeds.map(({ alias, read: { filters } }) => [alias, filters.length])).toEqual([
      ['boss', 1],
      [undefined, 1],
    ])
    expect(plan('select=boss:people(id)&people.id=eq.1').embeds[0]?.read.filters).toHaveLength(1)
  })

  it('the value inside JSON is named by its last key', () => {
    const names = plan('select=data->a->>b,data->a->0,tags->1,x:data->>c').outputs.map(({ name }) => name)
    expect(names).toEqual(['b', 'a', 'tags', 'x'])
  })
})

describe('fields', () => {
  it('only what is neither json nor jsonb is turned into it', () => {
    const read = plan('select=data->a,tags->0')
    const fields = read.outputs.map(({ value }) => value.kind === 'field' && value.field.toJsonb)
    expect(fields).toEqual([false, true])
  })

  it('a star is listed where columns are lifted or grouped by', () => {
    expect(plan('select=*').outputs).toEqual([{ name: '*', value: { kind: 'all', alias: 'tasks' } }])
    expect(plan('select=*,count()').outputs.map(({ name }) => name)).toEqual(['id', 'owner', 'tags', 'data', 'count'])
    expect(plan('select=...people(*)').outputs.map(({ name }) => name)).toEqual(['id', 'name'])
  })

  it('an aggregate in a to-one spread groups its parent', () => {
    const read = plan('select=owner,...people(name.max())')
    expect(read.grouped).toBe(true)
    expect(read.embeds[0]?.read.grouped).toBe(false)
  })
})

describe('filters', () => {
  it('null of an embedded resource asks for its rows', () => {
    expect(plan('select=people()&people=is.null').filters).toMatchObject([{ kind: 'exists', negated: true }])
    expect(plan('select=people()&people=not.is.null').filters).toMatchObject([{ kind: 'exists', negated: false }])
  })

  it('any other operator means the column of that name', () => {
    expect(plan('select=owner(id)&owner=eq.3').filters).toMatchObject([{ kind: 'condition', field: { name: 'owner' } }])
  })
})
