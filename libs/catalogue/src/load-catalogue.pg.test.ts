import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nameKey } from './catalogue.ts'
import type { Catalogue, Relationship } from './catalogue.ts'
import { openMuseum } from './testing/museum.ts'
import type { Museum } from './testing/museum.ts'

let museum: Museum
let catalogue: Catalogue

beforeAll(async () => {
  museum = await openMuseum()
  catalogue = await museum.load()
})

afterAll(() => museum.close())

const api = (name: string) => ({ schema: 'api', name })
const relation = (name: string) => catalogue.relations.get(nameKey(api(name)))
const column = (of: string, name: string) => relation(of)?.columns.get(name)
const routine = (name: string) => catalogue.routines.get(nameKey(api(name))) ?? []

describe('relations', () => {
  test('are those of the exposed schemas, without partitions', () => {
    const names = [...catalogue.relations.values()].map(({ schema, name }) => `${schema}.${name}`)
    expect(names).toContain('api.visits')
    expect(names).toContain('shop.prints')
    expect(names).not.toContain('api.visits_2025')
    expect(names.filter((name) => name.startsWith('vault.') || name.startsWith('tools.'))).toEqual([])
  })

  test('have their kind and comment', () => {
    expect(relation('artists')).toMatchObject({ kind: 'table', comment: 'Everyone with a work in the house' })
    expect(relation('visits')?.kind).toBe('partitioned table')
    expect(relation('painters')?.kind).toBe('view')
    expect(relation('totals')?.kind).toBe('materialized view')
    expect(catalogue.schemaComments).toEqual(new Map([['api', 'What visitors see']]))
  })

  test.each([
    ['works', true, true, true],
    ['visits', true, true, true],
    ['writable', true, true, true],
    ['all_names', false, false, false],
    ['totals', false, false, false],
    ['frozen', true, false, false],
  ])('%s can be inserted into: %s, updated: %s, deleted from: %s', (name, insertable, updatable, deletable) => {
    expect(relation(name)).toMatchObject({ insertable, updatable, deletable })
  })

  test('have their keys, the primary one in alphabetical order', () => {
    expect(relation('halls')?.primaryKey).toEqual(['building', 'number'])
    expect(relation('artists')?.uniqueKeys).toEqual([['name', 'born']])
    expect(relation('likes')).toMatchObject({ primaryKey: ['id'], uniqueKeys: [['work_id', 'exhibition_id']] })
  })

  test('that are views have the primary keys of what they show', () => {
    expect(relation('painters')?.primaryKey).toEqual(['id'])
    expect(relation('framed')?.primaryKey).toEqual(['framed_id'])
    expect(relation('keepers')?.primaryKey).toEqual(['id'])
    expect(relation('recent')?.primaryKey).toEqual(['id', 'author_id'])
    expect(relation('all_names')?.primaryKey).toEqual([])
    expect(relation(':odd (view)')?.primaryKey).toEqual([':id'])
  })
})

describe('columns', () => {
  test('come in the order of their position', () => {
    expect([...(relation('artists')?.columns.keys() ?? [])]).toEqual(['id', 'name', 'born', 'teacher_id'])
  })

  test('have types with domains resolved and lengths kept apart', () => {
    expect(column('works', 'accession')).toMatchObject({
      type: 'api.accession_number',
      baseType: 'character varying',
      maxLength: 12,
      nullable: false,
    })
    expect(column('works', 'ground')).toMatchObject({ type: 'api.paint', baseType: 'integer' })
    expect(column('artists', 'name')).toMatchObject({ type: 'character varying(80)', maxLength: 80 })
    expect(column('works', 'code')).toMatchObject({ type: 'character(4)', baseType: 'bpchar', maxLength: 4 })
    expect(column('works', 'flags')).toMatchObject({ type: 'bit(3)', baseType: '"bit"', maxLength: 3 })
    expect(column('works', 'techniques')).toMatchObject({
      type: 'api.technique[]',
      typeName: api('technique'),
      isArray: true,
    })
  })

  test('have the labels of enums in their order', () => {
    expect(column('works', 'technique')?.enumLabels).toEqual(['oil', 'ink', 'bronze, cast'])
    expect(catalogue.enums).toContainEqual({ ...api('technique'), labels: ['oil', 'ink', 'bronze, cast'] })
  })

  test('have defaults that can be run whatever the search path is', () => {
    expect(column('artists', 'id')?.default).toBe(`nextval('api.artists_id_seq'::regclass)`)
    expect(column('works', 'technique')?.default).toBe(`'oil'::api.technique`)
    expect(column('works', 'accession')?.default).toBe(`'unnumbered'::character varying`)
    expect(column('artists', 'born')?.default).toBeUndefined()
  })

  test('say what is generated', () => {
    expect(column('works', 'id')).toMatchObject({ identity: 'always', default: undefined, updatable: false })
    expect(column('artists', 'id')).toMatchObject({ identity: 'by default', updatable: true })
    expect(column('works', 'title_length')).toMatchObject({ generated: true, default: undefined, updatable: false })
    expect(column('paintings', 'shout')?.updatable).toBe(false)
    expect(column('paintings', 'title')?.updatable).toBe(true)
  })

  test.each([
    ['painters', 'name', true],
    ['painters', 'master_id', false],
    ['framed', 'caption', true],
    ['catalogue', 'title', true],
    ['catalogue', 'restorer', false],
    ['catalogue', 'restorer_id', false],
    ['catalogue', 'showings', true],
    ['catalogue', 'restored_by', true],
    ['crates', 'keeper_id', true],
    ['keepers', 'name', true],
    ['all_names', 'name', false],
    ['recent', 'name', true],
    ['lineage', 'id', false],
    ['rolled', 'title', false],
    ['totals', 'artist_id', true],
    ['writable', 'one', true],
    ['paintings', 'shout', false],
  ])('of views: %s.%s can never be null: %s', (of, name, neverNull) => {
    expect(column(of, name)).toMatchObject({ nullable: true, neverNull })
  })
})

describe('relationships', () => {
  const between = (from: string, to: string) =>
    (catalogue.relationships.get(nameKey(api(from))) ?? []).filter((one) => one.to.name === to).map(summary)

  test('by foreign key lead both ways', () => {
    expect(between('exhibitions', 'visits')).toEqual(['one-to-many visits_exhibition_id_fkey id=exhibition_id'])
    expect(between('visits', 'exhibitions')).toEqual(['many-to-one visits_exhibition_id_fkey exhibition_id=id'])
  })

  test('keep the pairs of a composite key together', () => {
    expect(between('works', 'halls')).toEqual(['many-to-one works_hall hall_building=building,hall_number=number'])
    expect(between('halls', 'works')).toEqual(['one-to-many works_hall building=hall_building,number=hall_number'])
  })

  test('are one to one when the key is unique', () => {
    expect(between('works', 'certificates')).toEqual(['one-to-one certificates_work_id_fkey id=work_id'])
    expect(between('certificates', 'artists')).toEqual(['one-to-one certificates_signed_by_fkey signed_by=id'])
  })

  test('of a relation to itself have both directions', () => {
    expect(between('artists', 'artists')).toEqual([
      'one-to-many artists_teacher_id_fkey id=teacher_id',
      'many-to-one artists_teacher_id_fkey teacher_id=id',
      'computed pupils (many)',
      'computed teacher (one)',
    ])
  })

  test('lead through a junction whose primary key holds both keys, for each pair of three', () => {
    expect(between('artists', 'exhibitions')).toEqual([
      'many-to-many showings: showings_curator_id_fkey id=curator_id, showings_exhibition_id_fkey id=exhibition_id',
    ])
    expect(between('exhibitions', 'works')).toEqual([
      'many-to-many showings: showings_exhibition_id_fkey id=exhibition_id, showings_work_id_fkey id=work_id',
    ])
  })

  test('do not lead through a relation whose keys are only unique together', () => {
    const junctions = [...catalogue.relationships.values()]
      .flat()
      .map(({ via }) => 'junction' in via && via.junction.name)
    expect(junctions).toContain('showings')
    expect(junctions).not.toContain('likes')
  })

  test('cross exposed schemas', () => {
    expect(between('works', 'prints')).toEqual(['one-to-many prints_work_id_fkey id=work_id'])
  })

  test('belong to partitioned tables, not to partitions', () => {
    expect(between('visits', 'tickets')).toEqual([
      'one-to-many tickets_visit_id_visited_on_fkey id=visit_id,visited_on=visited_on',
    ])
    const ends = [...catalogue.relationships.values()].flat().flatMap(({ from, to }) => [from.name, to.name])
    expect(ends).not.toContain('visits_2025')
  })

  test('are carried to views, once for each way in which a view shows the key', () => {
    expect(between('paintings', 'artists')).toEqual([
      'many-to-one works_artist artist_id=id',
      'many-to-one works_artist painter_id=id',
      'many-to-many showings: showings_work_id_fkey id=work_id, showings_curator_id_fkey id=curator_id',
    ])
    expect(between('paintings', 'halls')).toEqual(['many-to-one works_hall hall_building=building,hall_number=number'])
    expect(between('halves', 'halls')).toEqual([])
    expect(between('all_names', 'works')).toEqual([])
    expect(between('lineage', 'works')).toEqual([])
  })

  test('are carried through views on views, subqueries and common table expressions', () => {
    expect(between('framed', 'painters')).toContain('many-to-one works_artist painter_id=id')
    expect(between('recent', 'works')).toContain('one-to-many works_artist author_id=artist_id')
  })

  test('of private tables are carried to their views, also behind the extra search path', () => {
    expect(between('crates', 'keepers')).toEqual(['many-to-one crates_keeper_id_fkey keeper_id=id'])
    expect(between('crates', 'works')).toEqual(['many-to-one crates_work_id_fkey work_id=id'])
  })

  test('between views on the same table are not of a relation to itself', () => {
    const isSelf = (from: string, to: string) =>
      catalogue.relationships.get(nameKey(api(from)))?.find((one) => one.to.name === to)?.isSelf
    expect(isSelf('artists', 'painters')).toBe(false)
    expect(isSelf('painters', 'painters')).toBe(true)
  })

  test('that are computed replace those to the relation of their name', () => {
    expect(between('works', 'artists')).toEqual(['computed artists (one)'])
  })

  test('list tables before views and computed ones last', () => {
    const order = (catalogue.relationships.get(nameKey(api('artists'))) ?? []).map(({ throughView, via }) =>
      via.kind === 'computed' ? 2 : Number(throughView),
    )
    expect(order).toEqual(order.toSorted())
  })

  test('are not looked for behind schemas that are not searched', async () => {
    const narrow = await museum.load({ extraSearchPath: [] })
    const names = (narrow.relationships.get(nameKey(api('crates'))) ?? []).map(({ to }) => to.name)
    expect(names).toContain('works')
    expect(names).not.toContain('keepers')
  })
})

function summary({ via }: Relationship): string {
  const pairs = (columns: readonly (readonly [string, string])[]) => columns.map((pair) => pair.join('=')).join(',')
  switch (via.kind) {
    case 'computed':
      return `computed ${via.routine.name} (${via.toOne ? 'one' : 'many'})`
    case 'many-to-many':
      return `many-to-many ${via.junction.name}: ${via.fromConstraint} ${pairs(via.fromColumns)}, ${via.toConstraint} ${pairs(via.toColumns)}`
    default:
      return `${via.kind} ${via.constraint} ${pairs(via.columns)}`
  }
}

describe('routines', () => {
  test('are the functions that a request can name all parameters of', () => {
    const names = [...catalogue.routines.values()].flat().map(({ name }) => name)
    expect(names).toContain('echo')
    for (const hidden of ['hidden', 'initials', 'tidy', 'write_frozen']) expect(names).not.toContain(hidden)
    expect(catalogue.rowFunctions?.map(({ name }) => name)).toEqual(['artists', 'initials', 'pupils'])
  })

  test('list overloads with fewer parameters first', () => {
    expect(routine('add').map(({ parameters }) => parameters.map(({ name, required }) => [name, required]))).toEqual([
      [
        ['a', true],
        ['b', false],
      ],
      [
        ['a', true],
        ['b', true],
        ['c', true],
      ],
    ])
    expect(routine('add').map(({ volatility }) => volatility)).toEqual(['immutable', 'stable'])
  })

  test('know variadic parameters and settings', () => {
    expect(routine('total')[0]).toMatchObject({
      isVariadic: true,
      parameters: [{ name: 'amounts', type: 'integer[]', isArray: true, isVariadic: true }],
    })
    expect(routine('by_artist')[0]?.settings).toContainEqual(['statement_timeout', '4s'])
  })

  test.each([
    ['by_artist', { isSet: true, type: { kind: 'composite', relation: api('works'), isDomain: false } }],
    ['first_work', { isSet: false, type: { kind: 'composite', relation: api('works') } }],
    ['size_of', { isSet: false, type: { kind: 'composite', name: api('dimensions') } }],
    ['anything', { isSet: true, type: { kind: 'scalar', text: 'record' } }],
    ['nothing', { type: { kind: 'void' } }],
    ['tint', { type: { kind: 'scalar', name: { name: 'int4' }, text: 'api.paint' } }],
    [
      'listed',
      {
        isSet: true,
        columns: [
          { name: 'id', type: 'bigint' },
          { name: 'names', type: 'text[]' },
        ],
      },
    ],
    [
      'summary',
      {
        isSet: false,
        columns: [
          { name: 'works', type: 'bigint' },
          { name: 'newest', type: 'date' },
        ],
      },
    ],
  ])('%s tells what it returns', (name, returns) => {
    expect(routine(name)[0]?.returns).toMatchObject(returns)
  })

  test('take the names of inputs only from inputs', () => {
    expect(routine('summary')[0]?.parameters.map(({ name, type }) => [name, type])).toEqual([['kind', 'text']])
  })
})

describe('the rest of the catalogue', () => {
  test('has the casts that represent domains', () => {
    expect(catalogue.representations.toSorted((a, b) => (a.from < b.from ? -1 : 1))).toEqual([
      { from: 'api.colour', to: 'json', routine: api('to_json') },
      { from: 'json', to: 'api.colour', routine: api('to_colour') },
      { from: 'text', to: 'api.colour', routine: api('to_colour') },
    ])
  })

  test('has the handlers of media types in lower case', () => {
    expect(catalogue.mediaHandlers).toEqual([
      { mediaType: '*/*', routine: api('anything'), kind: 'aggregate', isBinary: true },
      { mediaType: '*/*', routine: api('append_any'), kind: 'function', isBinary: true },
      { mediaType: 'text/plain', routine: api('append_title'), kind: 'function', isBinary: false },
      { mediaType: 'image/png', routine: api('photo'), kind: 'function', isBinary: true },
      { mediaType: 'text/plain', routine: api('titles'), kind: 'aggregate', isBinary: false, relation: api('works') },
    ])
  })

  test('has composite types', () => {
    const dimensions = catalogue.compositeTypes.find(({ name }) => name === 'dimensions')
    expect(dimensions?.columns.map(({ name, type }) => [name, type])).toEqual([
      ['width', 'numeric(6,2)'],
      ['height', 'numeric(6,2)'],
      ['labels', 'text[]'],
    ])
  })

  test('has the settings of roles that may be assumed, as far as they may be set', () => {
    expect(catalogue.roleSettings).toEqual(
      new Map([
        ['keeper', [['work_mem', '8MB']]],
        [
          'visitor',
          [
            ['default_transaction_isolation', 'serializable'],
            ['statement_timeout', '3s'],
          ],
        ],
      ]),
    )
  })

  test('has the configuration of the role, of which that for the database wins', () => {
    expect(catalogue.inDatabaseConfig).toEqual(
      new Map([
        ['db_max_rows', '77'],
        ['db_pre_request', 'api.check'],
      ]),
    )
  })

  test('has the version and the time zones of the server, which later loads take over', async () => {
    expect(catalogue.serverVersion).toBeGreaterThanOrEqual(150_000)
    expect(catalogue.timezones.has('Europe/Lisbon')).toBe(true)
    const next = await museum.load({ generation: 2, previous: catalogue })
    expect(next.generation).toBe(2)
    expect(next.timezones).toBe(catalogue.timezones)
  })
})

test('a column whose not-null constraint is not validated is not taken for never null in a view', async () => {
  if (catalogue.serverVersion < 180_000) return
  await museum.sql(`
    create table api.old (id integer);
    alter table api.old add constraint old_id not null id not valid;
    create view api.older as select id from api.old`)
  const next = await museum.load()
  await museum.sql('drop table api.old cascade')
  expect(next.relations.get(nameKey(api('older')))?.columns.get('id')?.neverNull).toBe(false)
})
