import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Change } from './change.ts'
import { createTestReader, type TestReader } from './testing/test-reader.ts'

let database: TestDatabase
let reader: TestReader
beforeAll(async () => {
  database = await createTestDatabase({
    conventions: false,
    sql: `
      create type mood as enum ('glad', 'sad');
      create domain score as int;
      create table notes (id int primary key, body text, tags text[], doc jsonb, at timestamptz, mood mood, points score);
      create table whole (id int primary key, body text, photo text);
      alter table whole replica identity full;
      alter table whole alter photo set storage external;
      create table nameless (body text);
      alter table nameless replica identity nothing;
      create table coded (id int primary key, code text not null, body text);
      create unique index coded_code on coded (code);
      alter table coded replica identity using index coded_code;
      create table long (id int primary key, title text, photo text);
      alter table long alter photo set storage external;
      create table days (day int, id int, body text, primary key (day, id)) partition by range (day);
      create table days_1 partition of days for values from (1) to (2);
      create table days_2 partition of days for values from (2) to (3);
      create table unpublished (id int);
      create publication feed for table notes, whole, coded, long, days with (publish_via_partition_root = true);
      create publication inserts for table nameless with (publish = 'insert, truncate');
    `,
  })
  reader = createTestReader({ url: database.url, publications: ['feed', 'inserts'] })
  await reader.start()
})
afterAll(async () => {
  await reader.stop()
  await database.close()
})

/** Runs SQL as one transaction each and returns the changes that come of it. */
async function changesOf(...statements: string[]): Promise<readonly Change[]> {
  const before = reader.changes().length
  for (const sql of statements) await database.run(sql)
  const end = `end of ${statements.join()}`
  await database.query('insert into notes (id, body) values (-1, $1) on conflict (id) do update set body = $1', [end])
  await reader.until(() => reader.changes().at(-1)?.row?.[1] === end)
  return reader.changes().slice(before, -1)
}

/** A change in few words: `insert notes {id: 1}`. */
function describe({ kind, relation, row, old }: Change): unknown[] {
  const name = (values: Change['row']): unknown =>
    values &&
    Object.fromEntries(values.flatMap((value, i) => (value === undefined ? [] : [[relation.columns[i]!.name, value]])))
  return [kind, relation.table, name(old), name(row)]
}

test('values of all types come as Postgres prints them', async () => {
  const [change] = await changesOf(`insert into notes values
    (1, 'Grüße 🌍', '{a,"b c",null}', '{"a": [1, null]}', '2026-11-22 13:05:12.123456+02', 'glad', 7)`)
  expect(change?.row).toEqual([
    '1',
    'Grüße 🌍',
    '{a,"b c",NULL}',
    '{"a": [1, null]}',
    '2026-11-22 11:05:12.123456+00',
    'glad',
    '7',
  ])
  expect(change?.relation).toMatchObject({ schema: 'public', table: 'notes', replicaIdentity: 'default' })
  expect(change?.relation.columns.map(({ name, typeName, isKey }) => [name, typeName, isKey])).toEqual([
    ['id', 'int4', true],
    ['body', 'text', false],
    ['tags', '_text', false],
    ['doc', 'jsonb', false],
    ['at', 'timestamptz', false],
    ['mood', 'mood', false],
    ['points', 'int4', false],
  ])
})

test('by default an old row is its key, which an update has only when it changed', async () => {
  const changes = await changesOf(
    "insert into coded values (1, 'a', 'x')",
    "update coded set body = 'y'",
    "update coded set code = 'b'",
    'delete from coded',
  )
  expect(changes.map(describe)).toEqual([
    ['insert', 'coded', undefined, { id: '1', code: 'a', body: 'x' }],
    ['update', 'coded', undefined, { id: '1', code: 'a', body: 'y' }],
    ['update', 'coded', { code: 'a' }, { id: '1', code: 'b', body: 'y' }],
    ['delete', 'coded', { code: 'b' }, undefined],
  ])
  expect(changes[0]?.relation.replicaIdentity).toBe('index')
})

test('with full replica identity an old row is whole, nulls included', async () => {
  const changes = await changesOf(
    "insert into whole values (1, null, repeat('photo', 10000))",
    "update whole set body = 'y'",
    'delete from whole',
  )
  const photo = 'photo'.repeat(10_000)
  expect(changes.map(describe)).toEqual([
    ['insert', 'whole', undefined, { id: '1', body: null, photo }],
    ['update', 'whole', { id: '1', body: null, photo }, { id: '1', body: 'y', photo }],
    ['delete', 'whole', { id: '1', body: 'y', photo }, undefined],
  ])
})

test('a long value that an update did not touch is undefined', async () => {
  const changes = await changesOf(
    "insert into long values (1, 'a', repeat('photo', 10000))",
    "update long set title = 'b'",
    'update long set photo = null',
  )
  expect(changes.map(({ row }) => row)).toEqual([
    ['1', 'a', 'photo'.repeat(10_000)],
    ['1', 'b', undefined],
    ['1', 'b', null],
  ])
})

test('a table without replica identity sends its inserts, when only those are published', async () => {
  const changes = await changesOf(
    "insert into nameless values ('x')",
    "update nameless set body = 'y'",
    'delete from nameless',
  )
  expect(changes.map(describe)).toEqual([['insert', 'nameless', undefined, { body: 'x' }]])
  expect(changes[0]?.relation.replicaIdentity).toBe('nothing')
})

test('rows of partitions belong to the table that was published', async () => {
  const changes = await changesOf(
    "insert into days values (1, 1, 'x'), (2, 1, 'y')",
    'update days set day = 2, id = 2 where day = 1',
  )
  expect(changes.map(describe)).toEqual([
    ['insert', 'days', undefined, { day: '1', id: '1', body: 'x' }],
    ['insert', 'days', undefined, { day: '2', id: '1', body: 'y' }],
    ['delete', 'days', { day: '1', id: '1' }, undefined],
    ['insert', 'days', undefined, { day: '2', id: '2', body: 'x' }],
  ])
})

test('a truncate of several tables is a change of each, in one transaction', async () => {
  const changes = await changesOf('truncate long, whole, unpublished')
  expect(changes.map(describe).toSorted()).toEqual([
    ['truncate', 'long', undefined, undefined],
    ['truncate', 'whole', undefined, undefined],
  ])
  const [first, second] = changes.map(({ cursor }) => cursor.split('.'))
  expect([first?.[0] === second?.[0], first?.[1], second?.[1]]).toEqual([true, '000001', '000002'])
})

test('what is rolled back or not published does not come', async () => {
  expect(
    await changesOf('begin; insert into notes values (5); rollback', 'insert into unpublished values (1)'),
  ).toEqual([])
})

test('a table that changes its form or joins the publication is followed', async () => {
  const changes = await changesOf(
    'begin; alter table coded add extra text; insert into coded values (9, $$n$$, $$x$$, $$new$$); commit',
    'alter publication feed add table unpublished',
    'insert into unpublished values (2)',
    'alter publication feed drop table unpublished',
    'insert into unpublished values (3)',
  )
  expect(changes.map(describe)).toEqual([
    ['insert', 'coded', undefined, { id: '9', code: 'n', body: 'x', extra: 'new' }],
    ['insert', 'unpublished', undefined, { id: '2' }],
  ])
})

test('transactions come in the order of their commits, with time and number', async () => {
  await changesOf("insert into notes (id, body) values (11, 'a')", "insert into notes (id, body) values (12, 'b')")
  const cursors = reader.changes().map(({ cursor }) => cursor)
  expect(cursors).toEqual(cursors.toSorted())
  const transaction = reader.transactions.findLast(({ changes }) => changes[0]?.row?.[0] === '12')
  const [row] = await database.query('select xmin::text from notes where id = 12')
  expect(String(transaction?.xid)).toBe(row?.['xmin'])
  expect(transaction?.committedAt).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  expect(Date.parse(transaction?.committedAt ?? '')).toBe(Math.floor(transaction?.committedAtMs ?? 0))
  expect(transaction?.changes[0]?.committedAt).toBe(transaction?.committedAt)
})
