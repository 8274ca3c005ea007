import { nameKey } from '@pando/catalogue/catalogue'
import type { Relation, Relationship } from '@pando/catalogue/catalogue'
import { Refusal } from '@pando/core/refusal'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseRequest } from '../request/parse-request.ts'
import type { FieldRef } from '../request/query.ts'
import { compile } from './compile.ts'
import { libraryConfig } from './testing/library-config.ts'
import { openLibrary } from './testing/open-library.ts'
import type { Library } from './testing/open-library.ts'

let library: Library
beforeAll(async () => {
  library = await openLibrary()
})
afterAll(() => library.close())

const relationNames = ['authors', 'books', 'reviews', 'genres', 'covers', 'shelves', 'priced_books'] as const
const depthMax = 3

/** A resource as the query string writes it: its select list, and the parameters about it and what is in it. */
type Asked = { readonly select: string; readonly params: readonly string[] }
type AskedEmbed = Asked & { readonly shownAs: string }

function relationOf(name: string): Relation {
  return library.catalogue.relations.get(nameKey({ schema: 'api', name })) as Relation
}

function resource(name: string, path: string, depth: number): fc.Arbitrary<Asked> {
  const columns = [...relationOf(name).columns.values()]
  const column = fc.constantFrom(...columns)
  const field = column.chain((each) =>
    fc.constantFrom(each.name, `x:${each.name}`, `${each.name}::text`, each.isArray ? `${each.name}->0` : each.name),
  )
  const filter = column.chain(({ name: of, baseType, isArray }) => {
    const texts = baseType === 'text' ? ['like.a*', 'imatch.^a', 'fts(english).cat', 'ilike(any).{a,b}'] : []
    // Postgres has no arrays of arrays to compare an array with any of.
    const lists = isArray ? ['cs.{a}'] : ['not.in.(1,2)', 'gt(any).{1}']
    const operation = fc.constantFrom('is.null', 'not.is.null', 'isdistinct.1', 'eq.1', ...lists, ...texts)
    return operation.map((text) => `${path}${of}=${text}`)
  })
  const order = column.chain((each) =>
    fc.constantFrom('', '.desc', '.asc.nullslast').map((suffix) => `${path}order=${each.name}${suffix}`),
  )
  const limit = fc.nat(100).map((rows) => `${path}limit=${rows}`)
  const offset = fc.nat(100).map((rows) => `${path}offset=${rows}`)
  const own = fc.record({
    fields: fc.array(fc.oneof(fc.constant('*'), field), { minLength: 1, maxLength: 3 }),
    params: fc.tuple(...[filter, order, limit, offset].map((each) => fc.option(each, { nil: undefined }))),
  })
  const embeds =
    depth === 0 || reachableFrom(name).length === 0
      ? fc.constant([])
      : fc.uniqueArray(embed(name, path, depth - 1), { maxLength: 2, selector: ({ shownAs }) => shownAs })
  return fc.tuple(own, embeds).map(([{ fields, params }, below]) => ({
    select: [...fields, ...below.map(({ select }) => select)].join(','),
    params: [...params.filter((each) => each !== undefined), ...below.flatMap((each) => each.params)],
  }))
}

function reachableFrom(name: string): readonly Relationship[] {
  const known = library.catalogue.relationships.get(nameKey({ schema: 'api', name })) ?? []
  return known.filter(({ to, isSelf }) => !isSelf && relationNames.some((each) => each === to.name))
}

function embed(name: string, path: string, depth: number): fc.Arbitrary<AskedEmbed> {
  return fc
    .record({
      relationship: fc.constantFrom(...reachableFrom(name)),
      alias: fc.constantFrom('one', 'two', 'three'),
      prefix: fc.constantFrom('', '...'),
      join: fc.constantFrom('', '!inner', '!left'),
      isEmpty: fc.boolean(),
      filter: fc.constantFrom('', 'is.null', 'not.is.null'),
    })
    .chain(({ relationship: { to, via }, alias, prefix, join, isEmpty, filter }) => {
      const target = via.kind === 'computed' ? via.routine.name : to.name
      const hint = via.kind === 'computed' ? '' : via.kind === 'many-to-many' ? via.junction.name : via.constraint
      const shownAs = prefix === '' ? alias : target
      return resource(to.name, `${path}${shownAs}.`, depth).map((inner) => ({
        select: `${prefix === '' ? `${alias}:` : prefix}${target}${hint === '' ? '' : `!${hint}`}${join}(${isEmpty ? '' : inner.select})`,
        shownAs,
        params: [...(isEmpty ? [] : inner.params), ...(filter === '' ? [] : [`${path}${shownAs}=${filter}`])],
      }))
    })
}

it('Postgres takes the statement of every request that is not refused', async () => {
  const preferences = fc.constantFrom('', 'count=exact', 'count=planned', 'count=estimated')
  const accept = fc.constantFrom('*/*', 'text/csv', 'application/vnd.pgrst.object+json', 'application/vnd.pgrst.plan')
  const request = fc
    .constantFrom(...relationNames)
    .chain((name) =>
      resource(name, '', depthMax).map(({ select, params }) => `/${name}?${[`select=${select}`, ...params].join('&')}`),
    )
  let prepared = 0
  await fc.assert(
    fc.asyncProperty(
      request,
      preferences,
      accept,
      fc.constantFrom(undefined, 5),
      async (url, prefer, type, maxRows) => {
        const compiled = await library
          .compile(url, { headers: { prefer, accept: type }, config: { maxRows } })
          .catch((error: unknown) => {
            if (error instanceof Refusal) return undefined
            throw error
          })
        if (compiled === undefined) return
        if (compiled.kind !== 'explain') await library.prepare(compiled.statement)
        prepared += 1
      },
    ),
    { numRuns: 300 },
  )
  expect(prepared).toBeGreaterThan(100)
})

it('no name that a caller writes gets out of its quotes', async () => {
  const nasty = fc.string({
    unit: fc.constantFrom('"', "'", '\\', ';', '-', '(', ')', 'a', '$', ' ', '\0', 'é'),
    minLength: 1,
  })
  const field: fc.Arbitrary<FieldRef> = fc.record({
    name: nasty,
    path: fc.array(fc.record({ arrow: fc.constantFrom('->', '->>'), key: nasty, isIndex: fc.constant(false) }), {
      maxLength: 2,
    }),
  })
  const base = parseRequest({ method: 'GET', path: '/books', rawQuery: '', header: () => undefined }, libraryConfig)
  await fc.assert(
    fc.asyncProperty(field, nasty, fc.constantFrom('select', 'filter', 'order', 'path'), async (ref, alias, place) => {
      const known = { name: 'facts', path: ref.path }
      const query = {
        ...base.query,
        select: [{ kind: 'field' as const, alias, field: place === 'select' ? ref : known }],
        filters:
          place === 'filter'
            ? [
                {
                  path: [],
                  tree: {
                    kind: 'condition' as const,
                    field: ref,
                    negated: false,
                    operation: { kind: 'is' as const, value: 'null' as const },
                  },
                },
              ]
            : [],
        orders: place === 'order' ? [{ path: [], terms: [{ field: ref }] }] : [],
      }
      const context = { catalogue: library.catalogue, config: libraryConfig }
      const { statement } = compile(context, { ...base, query }, { kind: 'none' })
      const code = await library.prepare(statement).then(
        () => 'prepared',
        (error: { code?: string }) => error.code,
      )
      // Undefined columns, operators that text has not, and names without a character are Postgres' to refuse.
      const refusals = statement.text.includes('""') ? ['42703', '42883', '42601'] : ['42703', '42883']
      expect(['prepared', ...refusals]).toContain(code)
    }),
    { numRuns: 200 },
  )
})
