import type { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../testing/database.ts'
import { needsNoTransaction, runSqlFile } from './run-sql-file.ts'
import { withSession } from './session.ts'
import { splitStatements } from './split-statements.ts'
import { SqlFileError } from './sql-file-error.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase({ conventions: false })
})
afterAll(() => database.close())
beforeEach(() => database.run('create schema if not exists public'))
afterEach(() => database.run('drop schema public cascade'))

const run = (text: string, record?: (client: Client) => Promise<void>): Promise<void> =>
  withSession({ url: database.url }, (client) =>
    runSqlFile(client, { name: 'x.sql', text }, () => record?.(client) ?? done),
  )
const done = Promise.resolve()

async function failure(text: string): Promise<SqlFileError> {
  const error = await run(text).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(SqlFileError)
  return error as SqlFileError
}

const tables = async (): Promise<unknown[]> =>
  (await database.query(`select tablename from pg_tables where schemaname = 'public' order by 1`)).map(
    ({ tablename }) => tablename as unknown,
  )

test('an error is shown with file, line, column, source and caret', async () => {
  const error = await failure(`create table t (id int);\n\n-- über\nselect\n\t1, idd -- 𝄞\n\tfrom t;\n`)
  expect(error.report.split('\n')).toEqual([
    'x.sql:5:5',
    '5 | \t1, idd -- 𝄞',
    '  | \t   ^',
    'ERROR: column "idd" does not exist (42703)',
    'hint: Perhaps you meant to reference the column "t.id".',
    'Nothing of this file was applied.',
  ])
  expect(error.message).toBe('x.sql:5:5: column "idd" does not exist (42703)')
  expect(await tables()).toEqual([])
})

test('the place is right after characters of several units, and in a function body', async () => {
  expect((await failure(`select '𝄞𝄞日本' || nothing;`)).place).toMatchObject({ line: 1, column: 18 })
  const body = 'create function f() returns int language plpgsql as $$\nbegin\n  return 1 1;\nend $$;'
  expect((await failure(`select 1;\r\n${body}`)).place).toMatchObject({ line: 4, source: '  return 1 1;' })
})

test('an error without a place of its own is shown at its statement', async () => {
  const error = await failure(
    'create table t (id int primary key);\ninsert into t values (1);\n  insert into t values (1);',
  )
  expect(error.place).toMatchObject({ line: 3, column: 3 })
  expect(error.report).toContain('detail: Key (id)=(1) already exists.')
  expect(error.report).toContain('constraint: t_pkey')
})

test('a constraint that is checked at the end of the transaction undoes the file too', async () => {
  const table = 'create table t (id int primary key, other int references t deferrable initially deferred)'
  await expect(run(`${table}; insert into t values (1, 2)`)).rejects.toMatchObject({
    name: 'SqlFileError',
    fields: { code: '23503' },
  })
  expect(await tables()).toEqual([])
})

test('the record is made in the same transaction', async () => {
  await expect(
    run('create table t ()', (client) => client.query('select nonsense').then(() => undefined)),
  ).rejects.toThrow('nonsense')
  expect(await tables()).toEqual([])
})

test('a bracket of its own changes nothing', async () => {
  await run('begin; create table a (); commit; begin isolation level serializable; create table b (); end;')
  expect(await tables()).toEqual(['a', 'b'])
  await failure('begin; create table c (); commit; select nonsense')
  expect(await tables()).toEqual(['a', 'b'])
})

test('a rollback of its own is obeyed', async () => {
  await run('create table a (); begin; create table b (); rollback; begin; create table c ();')
  expect(await tables()).toEqual(['a', 'c'])
})

test('savepoints work inside of the one transaction', async () => {
  await run('savepoint s; create table a (); rollback to savepoint s; create table b ();')
  expect(await tables()).toEqual(['b'])
})

test('an enum value may be used in the file that adds it', async () => {
  await run(`create type mood as enum ('sad')`)
  await run(`alter type mood add value 'happy'; create table t as select 'happy'::mood as mood`)
  expect(await database.query('select mood from t')).toEqual([{ mood: 'happy' }])
})

test('what cannot run in a transaction says what stays', async () => {
  const error = await failure(`create table t (id int); create index concurrently i on t (id); select nonsense`)
  expect(error.statementsKept).toBe(2)
  expect(error.report).toContain('its first 2 statements stay applied')
  expect(await tables()).toEqual(['t'])
})

test('rows after a copy are refused with what to do', async () => {
  const error = await failure('create table t (id int);\ncopy t from stdin;\n1\n\\.\n')
  expect(error.place).toMatchObject({ line: 2 })
  expect(error.report).toContain('--inserts')
})

test('an extension that is not there is named, with what to do', async () => {
  const error = await failure('create extension if not exists "pg_nothing" with schema nowhere;')
  expect(error.report).toMatch(/extension "pg_nothing" is not available[^]*hint: This PostgreSQL has no .*DATABASE_URL/)
})

test('a version of it that is not there is said to be the reason', async () => {
  const error = await failure(`create extension citext version '0.9'`)
  expect(error.report).toMatch(/no installation script[^]*hint: .* another version of "citext": take `version …` out/)
})

test('so is one that only a superuser may create', async () => {
  const error = await failure('create role plain; set role plain; create extension dblink schema public')
  expect(error.report).toMatch(/permission denied[^]*hint: Migrations do not run as superuser.*"dblink"/)
})

test('a file without statements is fine', async () => {
  await run('-- nothing yet\n')
  expect(await tables()).toEqual([])
})

test('PostgreSQL itself splits files in the same way', async () => {
  const file = `
    create table t (id int, note text);
    create rule r as on delete to t do instead (select 1; select 2);
    create function f(a int) returns int language sql begin atomic select case when a > 0 then 1 end; select 2; end;
    insert into t values (1, 'a;b''c'), (2, E'\\';'), (3, $x$;$$;$x$) /* ; /* ; */ ; */;
    do $$ begin perform 1; end $$; ; -- ;
    select id as "a;b" from t`
  const results = (await withSession({ url: database.url }, (client) => client.query(file))) as unknown as unknown[]
  expect(splitStatements(file)).toHaveLength(results.length)
})

test.each([
  ['create index concurrently i on t (id)', true],
  ['CREATE UNIQUE INDEX CONCURRENTLY i ON t (id)', true],
  ['create index i on concurrently_made (id)', false],
  ['drop index concurrently i', true],
  ['reindex (verbose) index concurrently i', true],
  ['reindex table t', false],
  ['vacuum analyze t', true],
  ['create database d', true],
  ['create table database ()', false],
  ['alter system set jit = off', true],
  ['alter database d set tablespace s', true],
  ['alter database d set jit = off', false],
  ['alter table t detach partition p concurrently', true],
  ['alter table t detach partition p', false],
  ['rollback', true],
  ['rollback to savepoint s', false],
  ['refresh materialized view concurrently v', false],
])('%s: outside of a transaction? %s', (statement, outside) => {
  expect(needsNoTransaction(statement)).toBe(outside)
})
