import { createDatabase, type Database } from '@pando/postgres/database'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createChangeStore } from './change-store.ts'
import { parseRequest } from './parse-request.ts'
import { createPreparations, type Preparations } from './prepare-request.ts'
import { SubscriptionRefused } from './request.ts'

const schema = `
create table public.notes (id int primary key, body text, secret text, pinned boolean, extra json, at timestamptz);
create table public.other (id bigint primary key);
create table public.silent (id int primary key);
revoke select on public.notes from anon;
grant select (id, body, pinned, extra, at) on public.notes to anon;
alter publication supabase_realtime add table public.notes, public.other;
`

let database: TestDatabase
let api: Database
let preparations: Preparations

beforeAll(async () => {
  database = await createTestDatabase({ sql: schema })
  api = createDatabase({ url: database.apiUrl, applicationName: 'test' })
  preparations = createPreparations(createChangeStore({ database: api, publication: 'supabase_realtime' }))
})
afterAll(async () => {
  await api.close()
  await database.close()
})

const prepare = (parameters: Record<string, unknown>, role = 'anon') =>
  preparations.prepare(parseRequest({ schema: 'public', ...parameters }), { role })

describe('a request is followed', () => {
  test.each(['id=eq.1', 'body=in.(a,"b,c")', 'at=gte.2024-01-01', 'pinned=is.true', 'extra=is.null', 'body=imatch.^a'])(
    'with condition %s',
    async (filter) => {
      expect((await prepare({ table: 'notes', filter })).parts).toHaveLength(1)
    },
  )

  test('for a whole schema, with a part for each table where conditions are', async () => {
    expect((await prepare({})).parts).toHaveLength(1)
    const { parts } = await prepare({ table: '*', filter: 'id=eq.1' })
    expect(parts.map(({ request, tests }) => [request.table, tests[0]?.typeOid])).toEqual([
      ['notes', 23],
      ['other', 20],
    ])
  })

  test('as soon as the table is published', async () => {
    await expect(prepare({ table: 'silent' })).rejects.toThrow(SubscriptionRefused)
    await database.run('alter publication supabase_realtime add table public.silent')
    expect((await prepare({ table: 'silent' })).parts).toHaveLength(1)
    await database.run('alter publication supabase_realtime drop table public.silent')
    preparations.forget()
    await expect(prepare({ table: 'silent' })).rejects.toThrow(SubscriptionRefused)
  })
})

describe('a request is refused', () => {
  const start =
    'Unable to subscribe to changes with given parameters. An exception happened so please check your connect parameters: '

  test.each([['missing'], ['silent']])('for table %s, which is not published', async (table) => {
    await expect(prepare({ table, event: 'INSERT' })).rejects.toThrow(
      new SubscriptionRefused(
        'Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect ' +
          `parameters: [event: INSERT, schema: public, table: ${table}, filters: [], select: nil]`,
      ),
    )
  })

  test('with everything that was asked', async () => {
    await expect(prepare({ table: 'notes', filter: 'id=not.eq.x', select: ['body', 'id'] })).rejects.toThrow(
      new SubscriptionRefused(
        `${start}[event: *, schema: public, table: notes, filters: [{"id", "eq", "x", true}], select: ["body", "id"]]. ` +
          'Exception: ERROR 22P02 (invalid_text_representation) invalid input syntax for type integer: "x"',
      ),
    )
  })

  test.each([
    [{ filter: 'missing=eq.1' }, 'ERROR P0001 (raise_exception) invalid column for filter missing'],
    [{ filter: 'secret=eq.1' }, 'ERROR P0001 (raise_exception) invalid column for filter secret'],
    [{ select: ['secret'] }, 'ERROR P0001 (raise_exception) invalid column for select secret'],
    [
      { filter: 'body=is.maybe' },
      'ERROR P0001 (raise_exception) invalid value for is filter: must be null, true, false, or unknown',
    ],
    [{ filter: 'body=is.true' }, 'ERROR P0001 (raise_exception) is true filter requires a boolean column, got text'],
    [
      { filter: 'id=like.1%' },
      'ERROR P0001 (raise_exception) operator like requires a text-compatible column type, got integer',
    ],
    [
      { filter: 'id=match.1' },
      'ERROR P0001 (raise_exception) operator match requires a text-compatible column type, got integer',
    ],
    [
      { filter: 'body=match.[' },
      'ERROR P0001 (raise_exception) invalid regular expression for match filter: invalid regular expression: brackets [] not balanced',
    ],
    [{ filter: 'extra=eq.{}' }, 'ERROR 42883 (undefined_function) operator does not exist: json = json'],
    [
      { filter: `id=in.(${Array.from({ length: 101 }, (_, at) => at).join(',')})` },
      'ERROR P0001 (raise_exception) too many values for `in` filter. Maximum 100',
    ],
  ])('when asked for %j', async (parameters, reason) => {
    await expect(prepare({ table: 'notes', ...parameters })).rejects.toThrow(`Exception: ${reason}`)
  })
})

/** What Citus notes of the tables that it keeps: by its own columns, as of version 13. */
const planted = `
  set allow_system_table_mods = on;
  create table pg_catalog.pg_dist_partition (
    logicalrelid regclass, partmethod "char", colocationid int, repmodel "char"
  );
  insert into pg_catalog.pg_dist_partition values
    ('spread', 'h', 1, 's'), ('on_a_worker', 'n', 2, 's'), ('copied', 'n', 3, 't'), ('managed', 'n', 0, 's');
  grant select on pg_catalog.pg_dist_partition to public;
  reset allow_system_table_mods;`

describe('where Citus keeps tables', () => {
  let citus: TestDatabase
  let asked: Database
  let preparing: Preparations

  beforeAll(async () => {
    const tables = ['spread', 'on_a_worker', 'copied', 'managed', 'here']
    citus = await createTestDatabase({
      sql: `
        ${tables.map((name) => `create table public.${name} (id int primary key);`).join('')}
        alter publication supabase_realtime add table ${tables.map((name) => `public.${name}`).join()};`,
    })
    await citus.run(planted)
    asked = createDatabase({ url: citus.apiUrl, applicationName: 'test' })
    preparing = createPreparations(createChangeStore({ database: asked, publication: 'supabase_realtime' }))
  })
  afterAll(async () => {
    await asked.close()
    await citus.close()
  })
  const follow = (table: string, more: object = {}) =>
    preparing.prepare(parseRequest({ schema: 'public', table, ...more }), { role: 'anon' })

  test.each(['spread', 'on_a_worker'])('a table on other servers cannot be followed: %s', async (table) => {
    await expect(follow(table)).rejects.toThrow(
      `Exception: changes of public.${table} are not in the log: Citus has its rows on other servers. Send a message with ` +
        'each change instead, by realtime.send(). Who follows all tables can do so once this one is not in the publication',
    )
  })

  test.each(['copied', 'managed'])('%s can be followed where its changes are translated', async (table) => {
    await expect(follow(table)).rejects.toThrow(/On all servers set citus.enable_change_data_capture = on\. /)
    await citus.run(`alter database ${citus.name} set citus.enable_change_data_capture = on`)
    const after = createDatabase({ url: citus.apiUrl, applicationName: 'test' })
    const preparingAfter = createPreparations(createChangeStore({ database: after, publication: 'supabase_realtime' }))
    const request = parseRequest({ schema: 'public', table })
    expect((await preparingAfter.prepare(request, { role: 'anon' })).parts).toHaveLength(1)
    await after.close()
    await citus.run(`alter database ${citus.name} reset citus.enable_change_data_capture`)
  })

  test('all others can', async () => {
    expect((await follow('here')).parts).toHaveLength(1)
  })

  test.each([{}, { filter: 'id=eq.1' }])(
    'nor can a schema with such a table, with %j, as nobody would miss it',
    async (more) => {
      await expect(follow('*', more)).rejects.toThrow('changes of public.copied are not in the log')
      await citus.run('alter publication supabase_realtime set table public.here')
      expect((await follow('*', more)).parts).toHaveLength(1)
      await citus.run('alter publication supabase_realtime set table public.here, public.copied')
    },
  )
})
