import { describe, expect, test } from 'vitest'
import type { ColumnFact, ForeignKeyFact, ShardFacts, TableFact } from './facts.ts'
import { planShards } from './plan-shards.ts'
import { isApplicable, type ShardDeclaration, type ShardPlan } from './shard-plan.ts'
import { toStatements } from './statements.ts'

const column = (name: string, type = 'uuid'): ColumnFact => ({
  name,
  type,
  isNotNull: true,
  isGenerated: false,
  isHashable: true,
})

/** A table with a primary key over its first columns, as many as `keyed`. */
function table(
  name: string,
  columns: readonly string[],
  more: Partial<TableFact> & { keyed?: number } = {},
): TableFact {
  const { keyed = columns.length, ...facts } = more
  const definition = `PRIMARY KEY (${columns.slice(0, keyed).join(', ')})`
  return {
    schema: 'public',
    name,
    bytes: 8192,
    persistence: 'permanent',
    inherits: false,
    isPartitioned: false,
    hasNestedPartitions: false,
    isFollowed: false,
    isCached: false,
    columns: columns.map((one) => column(one)),
    uniques: [{ name: `${name}_pkey`, kind: 'primary key', columns: columns.slice(0, keyed), definition }],
    policies: [],
    triggers: [],
    ...facts,
  }
}

function key(from: string, to: string, columns: ForeignKeyFact['columns'], more: Partial<ForeignKeyFact> = {}) {
  const ends = { from: { schema: 'public', name: from }, to: { schema: 'public', name: to } }
  return {
    name: `${from}_${to}_fkey`,
    ...ends,
    columns,
    onDelete: 'no action',
    onUpdate: 'no action',
    ...more,
  } satisfies ForeignKeyFact
}

const declared: ShardDeclaration = { key: 'tenant_id', keys: new Map([['tenants', 'id']]), reference: [], local: [] }

const tables = [
  table('bookings', ['tenant_id', 'id', 'boat_id', 'country'], { keyed: 2 }),
  table('boats', ['tenant_id', 'id']),
  table('countries', ['code']),
  table('currencies', ['code']),
  table('drafts', ['id']),
  table('tenants', ['id']),
]
const foreignKeys = [
  key('bookings', 'boats', [
    ['tenant_id', 'tenant_id'],
    ['boat_id', 'id'],
  ]),
  key('bookings', 'countries', [['country', 'code']]),
  key('boats', 'tenants', [['tenant_id', 'id']]),
  key('countries', 'currencies', [['code', 'code']]),
]
const house: ShardFacts = { tables, foreignKeys }

const planOf = (facts: Partial<ShardFacts>, declaration: Partial<ShardDeclaration> = {}): ShardPlan =>
  planShards({ ...house, ...facts }, { ...declared, ...declaration })
const obstaclesOf = (plan: ShardPlan): Record<string, string[]> =>
  Object.fromEntries(
    plan.tables.flatMap(({ name, obstacles }) =>
      obstacles.length === 0 ? [] : [[name, obstacles.map(({ why }) => why)]],
    ),
  )
const with_ = (name: string, more: Partial<TableFact>): Partial<ShardFacts> => ({
  tables: tables.map((one) => (one.name === name ? { ...one, ...more } : one)),
})

describe('a plan', () => {
  test('spreads what has the key, copies what that points at, and leaves the rest where it is', () => {
    const plan = planOf({})
    expect(plan.tables.map(({ name, place, why }) => [name, place.kind, why])).toEqual([
      ['currencies', 'reference', 'countries points at it'],
      ['countries', 'reference', 'bookings points at it'],
      ['tenants', 'distributed', 'declared in shard.keys'],
      ['boats', 'distributed', 'has tenant_id'],
      ['bookings', 'distributed', 'has tenant_id'],
      ['drafts', 'local', 'has no key, and nothing spread points at it'],
    ])
    expect(isApplicable(plan)).toBe(true)
  })

  test('makes statements in an order in which each foreign key finds its table', () => {
    expect(toStatements(planOf({})).map(({ text }) => text)).toEqual([
      `select pg_catalog.create_reference_table('"public"."currencies"')`,
      `select pg_catalog.create_reference_table('"public"."countries"')`,
      `select pg_catalog.create_distributed_table('"public"."tenants"', 'id', colocate_with => 'none')`,
      `select pg_catalog.create_distributed_table('"public"."boats"', 'tenant_id', colocate_with => '"public"."tenants"')`,
      `select pg_catalog.create_distributed_table('"public"."bookings"', 'tenant_id', colocate_with => '"public"."tenants"')`,
    ])
  })

  test('goes on where it was stopped, beside the tables that are there', () => {
    const placed = [
      { schema: 'public', name: 'currencies', place: 'reference', key: null },
      { schema: 'public', name: 'boats', place: 'distributed', key: 'tenant_id' },
    ] as const
    const plan = planOf({ placed })
    expect(plan.tables.filter(({ isDone }) => isDone).map(({ name }) => name)).toEqual([
      'currencies',
      'boats',
      'drafts',
    ])
    const texts = toStatements(plan).map(({ text }) => text)
    expect(texts).toHaveLength(3)
    expect(texts[1]).toContain(`'"public"."tenants"', 'id', colocate_with => '"public"."boats"'`)
  })

  test('gives roles that may not log in what they lack, first', () => {
    const logins = [
      { role: 'anon', mayLogIn: false, refusals: [] },
      { role: 'authenticated', mayLogIn: true, refusals: [] },
    ]
    expect(toStatements(planOf({}), logins)[0]?.text).toBe('alter role "anon" login')
    expect(toStatements(planOf({}), logins)).toHaveLength(6)
  })

  test('names that need quotes are quoted, once for SQL and once for the text in it', () => {
    const odd = table(`it's "odd"`, ['tenant_id'])
    expect(toStatements(planOf({ tables: [odd], foreignKeys: [] }, { keys: new Map() }))[0]?.text).toBe(
      `select pg_catalog.create_distributed_table('"public"."it''s ""odd"""', 'tenant_id', colocate_with => 'none')`,
    )
  })

  test('keys of different types are not put together', () => {
    const other = table('logs', ['tenant_id'], { columns: [column('tenant_id', 'bigint')] })
    const plan = planOf({ tables: [...tables, other] })
    expect(plan.tables.find(({ name }) => name === 'logs')?.colocateWith).toBeUndefined()
    expect(isApplicable(plan)).toBe(true)
  })

  test('says what the declaration gets wrong', () => {
    const plan = planOf({}, { reference: ['contries', 'other.x', 'countries'], local: ['public.countries'] })
    expect(plan.mistakes).toEqual([
      'shard.reference names contries, which is no table of the schemas that the API serves',
      'shard.reference names other.x, which is no table of the schemas that the API serves',
      'shard.local names public.countries, which is declared elsewhere too',
    ])
    expect(isApplicable(plan)).toBe(false)
  })

  test('without a key leaves everything local', () => {
    expect(toStatements(planOf({}, { key: null, keys: new Map() }))).toEqual([])
  })
})

describe('a plan refuses, with a reason and a remedy,', () => {
  const notNull = { columns: [{ ...column('tenant_id'), isNotNull: false }, column('id')] }
  const unique = {
    name: 'boats_name',
    kind: 'unique index',
    columns: ['id'],
    definition: 'CREATE UNIQUE INDEX …',
  } as const
  const policy = (using: string) => [{ name: 'own', hasSubselect: true, using, check: null }]
  test.each<[string, Partial<ShardFacts>, Record<string, string[]>]>([
    [
      'a key that may be null',
      with_('boats', notNull),
      { boats: ['its key tenant_id may be null, and such a row belongs nowhere'] },
    ],
    [
      'a key that is generated or has no hash',
      with_('boats', {
        columns: [{ ...column('tenant_id', 'json'), isHashable: false, isGenerated: true }, column('id')],
      }),
      {
        boats: [
          'its key tenant_id is generated',
          'its key tenant_id is of type json, which has no hash',
          'its foreign key boats_tenants_fkey to tenants compares keys of different types, json and uuid',
        ],
        bookings: ['its foreign key bookings_boats_fkey to boats compares keys of different types, uuid and json'],
      },
    ],
    [
      'a key column that is not there',
      with_('tenants', { columns: [] }),
      { tenants: ['it has no column id'], boats: [expect.stringContaining('different types')] as string[] },
    ],
    [
      'a unique index without the key',
      with_('boats', { uniques: [...tables[1]!.uniques, unique] }),
      { boats: ['its unique index boats_name does not include tenant_id'] },
    ],
    [
      'a primary key without the key',
      with_('boats', { uniques: [{ ...unique, kind: 'primary key', name: 'boats_pkey' }] }),
      { boats: ['its primary key boats_pkey does not include tenant_id'] },
    ],
    [
      'a policy with a sub-select',
      with_('boats', { policies: policy('( SELECT auth.uid() AS uid) = id') }),
      { boats: ['its policy "own" has a sub-select'] },
    ],
    [
      'one on a table that is copied',
      with_('countries', { policies: policy('true') }),
      { countries: ['its policy "own" has a sub-select'] },
    ],
    ['a trigger', with_('boats', { triggers: ['touch'] }), { boats: ['it has a trigger, touch'] }],
    ['an inheritance', with_('boats', { inherits: true }), { boats: ['it is part of an inheritance'] }],
    [
      'a partitioned table without a key',
      with_('countries', { isPartitioned: true }),
      { countries: ['it is partitioned, and only tables with a key can be'] },
    ],
    [
      'partitions of partitions',
      with_('boats', { isPartitioned: true, hasNestedPartitions: true }),
      { boats: ['its partitions are partitioned again'] },
    ],
    [
      'a big table without a key',
      with_('countries', { bytes: 2e9 }),
      { countries: ['it has no key and would be copied to every server (bookings points at it), with its 2000 MB'] },
    ],
    [
      'a foreign key between spread tables without the key',
      { foreignKeys: [key('bookings', 'boats', [['boat_id', 'id']])] },
      {
        bookings: [
          'its foreign key bookings_boats_fkey to boats does not include the key, so it could lead to another server',
        ],
      },
    ],
    [
      'a foreign key that would change the key',
      { foreignKeys: [key('boats', 'tenants', [['tenant_id', 'id']], { onUpdate: 'cascade' })] },
      { boats: ['its foreign key boats_tenants_fkey to tenants would change the key (on delete set …, on update …)'] },
    ],
    [
      'a foreign key to a table of another schema, and from one',
      {
        foreignKeys: [
          key('tenants', 'users', [['id', 'id']], { to: { schema: 'auth', name: 'users' } }),
          key('audit', 'boats', [['id', 'id']], { from: { schema: 'private', name: 'audit' } }),
        ],
      },
      {
        tenants: ['its foreign key tenants_users_fkey to auth.users leads to a table that only the coordinator has'],
        boats: ['private.audit, which only the coordinator has, points at it with the foreign key audit_boats_fkey'],
      },
    ],
    [
      'a foreign key from a local table to a spread one',
      { foreignKeys: [key('drafts', 'tenants', [['id', 'id']])] },
      { drafts: ['its foreign key drafts_tenants_fkey to tenants leads to rows on other servers'] },
    ],
    [
      'a foreign key from a local table to a copied one',
      { foreignKeys: [...foreignKeys, key('drafts', 'currencies', [['id', 'code']])] },
      {
        drafts: [
          'its foreign key drafts_currencies_fkey to currencies leads to a table on every server, which a table of the coordinator alone cannot point at',
        ],
      },
    ],
    [
      'a circle',
      { foreignKeys: [...foreignKeys, key('tenants', 'boats', [['id', 'tenant_id']])] },
      {
        boats: [
          'its foreign key boats_tenants_fkey to tenants is part of a circle, of which no table can be the first',
        ],
      },
    ],
    [
      'what is spread already by another key',
      { placed: [{ schema: 'public', name: 'boats', place: 'distributed', key: 'id' }] },
      { boats: ['it is distributed by id already'] },
    ],
    [
      'to move back what is declared local no more',
      { placed: [{ schema: 'public', name: 'drafts', place: 'reference', key: null }] },
      { drafts: ['it is a reference table already'] },
    ],
  ])('%s', (_, facts, obstacles) => {
    const plan = planOf(facts)
    expect(obstaclesOf(plan)).toEqual(obstacles)
    expect(isApplicable(plan)).toBe(false)
    for (const one of plan.tables.flatMap((planned) => planned.obstacles)) expect(one.remedy).toMatch(/\S[;.…}]?$/)
  })

  test('a foreign key from a copied table to a spread one', () => {
    const plan = planOf(
      { foreignKeys: [...foreignKeys, key('countries', 'tenants', [['code', 'id']])] },
      { reference: ['countries'] },
    )
    expect(obstaclesOf(plan)).toEqual({
      countries: [
        'its foreign key countries_tenants_fkey to tenants leads from a table on every server to rows on one',
      ],
    })
  })

  test('but takes a big table without a key when somebody says so', () => {
    expect(isApplicable(planOf(with_('countries', { bytes: 2e9 }), { reference: ['countries'] }))).toBe(true)
  })
})

describe('the remedy of a policy', () => {
  const remedyOf = (using: string | null, check: string | null = null) => {
    const policies = [{ name: 'own "ones"', hasSubselect: true, using, check }]
    return planOf(with_('boats', { policies })).tables.find(({ name }) => name === 'boats')?.obstacles[0]?.remedy
  }
  test('is the same policy with the calls themselves', () => {
    expect(remedyOf('(( SELECT auth.uid() AS uid) = owner)', '(( SELECT auth.role() AS role) = x)')).toBe(
      'alter policy "own ""ones""" on "public"."boats" using ((auth.uid() = owner)) with check ((auth.role() = x));',
    )
  })
  test('is for a person to find where there is more than calls', () => {
    expect(remedyOf('(id IN ( SELECT m.id FROM members m))')).toMatch(/^Compare with columns/)
  })
})

test('notes tell what will be different', () => {
  const followed = { isFollowed: true, isCached: true }
  const plan = planOf({
    tables: [
      table('boats', ['tenant_id', 'id'], { ...followed, uniques: [] }),
      table('countries', ['code'], followed),
      table('drafts', ['id'], followed),
      ...tables.filter(({ name }) => !['boats', 'countries', 'drafts'].includes(name)),
    ],
  })
  const notes = Object.fromEntries(plan.tables.map((one) => [one.name, one.notes]))
  const kept = expect.stringContaining('not kept')
  expect(notes).toEqual({
    boats: [
      expect.stringMatching(
        /realtime does not hear .*: alter publication supabase_realtime drop table "public"."boats";$/,
      ),
      kept,
      expect.stringContaining('primary key'),
    ],
    countries: [expect.stringContaining('citus.enable_change_data_capture = on'), kept],
    drafts: [kept],
    bookings: [],
    currencies: [],
    tenants: [],
  })
})
