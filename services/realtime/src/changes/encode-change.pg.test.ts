import { createDatabase, type Database } from '@pando/postgres/database'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createChangeStore } from './change-store.ts'
import { createChangeEncoder } from './encode-change.ts'
import type { TableFacts } from './facts.ts'
import { openWriter, type Row, type Writer } from './testing/written-changes.ts'

/** Types, and literals of them. */
const samples: readonly (readonly [type: string, ...literals: string[]])[] = [
  ['boolean', 'true', 'false'],
  ['smallint', '-7'],
  ['integer', '2147483647'],
  ['bigint', '9223372036854775807'],
  ['numeric', '1.50', '-0.000000000000000000001', 'NaN', 'Infinity', '123456789012345678901234567890.5'],
  ['real', '1.5', 'NaN', '-Infinity', '3e30'],
  ['double precision', '0.1', '1e300', 'Infinity'],
  ['money', '12.30'],
  ['oid', '42'],
  ['text', 'a "quoted" \\ text\n', '🌲', ''],
  ['varchar(5)', 'abc'],
  ['char(5)', 'abc'],
  ['"char"', 'a'],
  ['name', 'n'],
  ['uuid', '00000000-0000-4000-8000-00000000000A'],
  ['json', '{"b": 1, "a": [true, null, "x"]}', '"text"', 'null'],
  ['jsonb', '{"b": 1, "a": [true, null, 1.50]}', '7', 'null'],
  ['date', '2024-02-29', 'infinity', '0044-03-15 BC'],
  ['time', '12:34:56.789'],
  ['timetz', '12:34:56+02'],
  ['timestamp', '2024-02-29 12:34:56.789012', '-infinity', '0044-03-15 12:00:00 BC'],
  ['timestamptz', '2024-02-29 12:34:56.7+05:30', 'infinity', '0044-03-15 12:00:00+00 BC'],
  ['interval', '1 day 02:03:04'],
  ['inet', '10.0.0.1/8'],
  ['point', '(1,2)'],
  ['int4range', '[1,5)'],
  ['int4multirange', '{[1,5),[7,9)}'],
  ['tsvector', 'a b'],
  ['bit(4)', '1010'],
  ['int[]', '{}', '{1,NULL,3}', '{{1,2},{3,4}}', '[2:3]={5,6}'],
  ['text[]', '{"a,b","c\\"d",NULL,"NULL",""," x "}'],
  ['boolean[]', '{t,f}'],
  ['numeric[]', '{1.50,NaN}'],
  ['jsonb[]', '{"{\\"a\\": 1}",null}'],
  ['timestamptz[]', '{"2024-02-29 12:34:56+00"}'],
  ['box[]', '{(1,1),(0,0);(3,3),(2,2)}'],
  ['bytea[]', '{"\\\\x0102"}'],
  ['public.mood', 'glad'],
  ['public.mood[]', '{glad,sad}'],
  ['public.small', '3'],
  ['public.tags', '{a,b}'],
  ['public.pair', '(1,"a ""b"", (c)")', '(,)', '(2,"")'],
  ['public.pair[]', '{"(1,x)","(,)"}'],
]

const columns = samples.map(([type], at) => `c${at} ${type}`)
const schema = `
create type public.mood as enum ('glad', 'sad');
create domain public.small as int check (value < 10);
create domain public.tags as text[];
create type public.pair as (first int, second text);
create table public.everything (id int primary key, bytes bytea, ${columns.join(', ')});
create table public.plain (id int primary key, long text, short text, big text);
alter publication supabase_realtime add table public.everything, public.plain;
`

const all = { showsOld: true }

let database: TestDatabase
let api: Database

beforeAll(async () => {
  database = await createTestDatabase({ sql: schema })
  api = createDatabase({ url: database.apiUrl, applicationName: 'test' })
})
afterAll(async () => {
  await api.close()
  await database.close()
})

async function getFacts(table: string): Promise<TableFacts> {
  const facts = await createChangeStore({ database: api, publication: 'supabase_realtime' }).findTable(
    'public',
    table,
    'service_role',
  )
  return facts!
}

/** The one row, with each value as text, and all of it as Postgres makes JSON of it. */
async function readBack({ relation }: Writer): Promise<Row> {
  const names = relation.columns.map(({ name }) => name)
  // As the log prints them, which for boolean and char is not what a cast to text gives.
  const texts = names
    .map((name) => `case when ${name} is distinct from null then format('%s', ${name}) end as ${name}`)
    .join(', ')
  const inUtc = createDatabase({ url: database.url, applicationName: 'test' })
  const [row] = await inUtc.transaction(async (transaction) => {
    await transaction.query(`set local timezone = 'UTC'`)
    return await transaction.query<Row>(`select ${texts}, to_jsonb(everything)::text as json from public.everything`)
  })
  await inUtc.close()
  return row!
}

describe('values', () => {
  test('of every type become what to_jsonb makes of them', async () => {
    const facts = await getFacts('everything')
    const writer = await openWriter(database, 'public.everything')
    const encoder = createChangeEncoder(facts, writer.relation, undefined)
    const most = Math.max(...samples.map(([, ...literals]) => literals.length))
    for (let at = 0; at < most; at += 1) {
      const values = samples.map(([type, ...literals]) =>
        literals[at] === undefined ? 'null' : `'${literals[at]}'::${type}`,
      )
      await database.run(
        `delete from public.everything; insert into public.everything values (${at}, null, ${values.join(', ')})`,
      )
      const { json, ...row } = await readBack(writer)
      expect(JSON.parse(encoder.encode(writer.insert(row), all)).record).toEqual(JSON.parse(json!))
    }
  })

  test('of bytea are hexadecimal digits', async () => {
    const writer = await openWriter(database, 'public.everything')
    const encoder = createChangeEncoder(await getFacts('everything'), writer.relation, ['bytes'])
    const change = writer.insert({ id: '1', bytes: '\\x0102ff' })
    expect(JSON.parse(encoder.encode(change, all)).record).toEqual({ id: 1, bytes: '0102ff' })
  })
})

describe('a change', () => {
  const parse = async (
    encode: (writer: Writer) => Parameters<ReturnType<typeof createChangeEncoder>['encode']>[0],
    select?: string[],
  ) => {
    const writer = await openWriter(database, 'public.plain')
    return JSON.parse(createChangeEncoder(await getFacts('plain'), writer.relation, select).encode(encode(writer), all))
  }

  test('that is too large keeps its short values and says so', async () => {
    const data = await parse(({ insert }) =>
      insert({ id: '1', long: 'x'.repeat(65), short: 'y', big: 'ä'.repeat(600_000) }),
    )
    expect(data.errors).toEqual(['Error 413: Payload Too Large'])
    expect(data.record).toEqual({ id: 1, short: 'y' })
  })

  test('of a megabyte at most is whole', async () => {
    const big = 'x'.repeat(1024 * 1024 - 4)
    const data = await parse(({ insert }) => insert({ id: '1', long: 'l', short: 's', big }))
    expect(data.errors).toBe(null)
    expect(data.record.big).toBe(big)
  })

  test('of an update has the key as old record, before its change if that changed', async () => {
    const row = { id: '2', long: null, short: 's', big: null }
    expect((await parse(({ update }) => update(row))).old_record).toEqual({ id: 2 })
    expect((await parse(({ update }) => update(row, { id: '1' }))).old_record).toEqual({ id: 1 })
  })

  test('has only chosen columns, and always the key', async () => {
    const data = await parse(({ insert }) => insert({ id: '1', long: 'l', short: 's', big: null }), ['short'])
    expect(data.record).toEqual({ id: 1, short: 's' })
    expect(data.columns).toEqual([
      { name: 'id', type: 'int4' },
      { name: 'short', type: 'text' },
    ])
  })
})
