import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { listen } from '../listen.ts'
import { createTestDatabase, type TestDatabase } from '../testing/database.ts'
import { makeTemporaryFolder } from '../testing/temporary-folder.ts'
import { applyProjectMigrations, listProjectMigrations } from './project-migrations.ts'
import { runSeeds } from './run-seeds.ts'

let database: TestDatabase
let folder: string

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

beforeEach(async () => {
  folder = await makeTemporaryFolder('pando-migrations-')
})
afterEach(async () => {
  await rm(folder, { recursive: true })
  await database.run(
    'drop schema if exists supabase_migrations cascade; drop schema public cascade; create schema public authorization postgres',
  )
})

const options = () => ({ url: database.urlAs('postgres'), folder })
const save = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text)
const states = async (): Promise<string[]> =>
  (await listProjectMigrations(options())).map(({ version, state }) => `${version} ${state}`)
const titles = async (): Promise<string[]> => (await applyProjectMigrations(options())).map(({ title }) => title)

test('migrations are applied once, in the order of their versions, as role postgres', async () => {
  await save('10_second.sql', 'insert into t values (current_user);')
  await save('9_first.sql', 'create table t (who text);')
  await save('README.sql', 'this is no migration')
  expect(await states()).toEqual(['9 pending', '10 pending'])
  expect(await titles()).toEqual(['9_first.sql', '10_second.sql'])
  expect(await titles()).toEqual([])
  expect(await states()).toEqual(['9 applied', '10 applied'])
  expect(await database.query('select who from public.t')).toEqual([{ who: 'postgres' }])
})

test('the ledger is the one that other tools read', async () => {
  await save('1_one.sql', '-- first\ncreate table a ();\ncreate table b ();')
  await titles()
  expect(await database.query('select version, name, statements from supabase_migrations.schema_migrations')).toEqual([
    { version: '1', name: 'one', statements: ['create table a ()', 'create table b ()'] },
  ])
})

test('a failing migration leaves nothing of itself, and says where it failed', async () => {
  await save('1_good.sql', 'create table good ();')
  await save('2_bad.sql', 'create table half ();\n\nalter table half add column x nonsense;\n')
  await expect(titles()).rejects.toMatchObject({
    name: 'SqlFileError',
    file: '2_bad.sql',
    place: { line: 3, column: 31 },
    statementsKept: 0,
  })
  expect(await states()).toEqual(['1 applied', '2 pending'])
  expect(await database.query(`select to_regclass('public.half') as half`)).toEqual([{ half: null }])
})

test('errors name the file from the root of the project', async () => {
  await save('1_bad.sql', 'nonsense')
  await save('seed.sql', 'select 1;\nselect none;')
  const { url } = options()
  const root = path.dirname(folder)
  const shown = (name: string) => path.join(path.basename(folder), name)
  await expect(applyProjectMigrations({ url, folder, root })).rejects.toMatchObject({
    file: shown('1_bad.sql'),
    message: expect.stringContaining(`${shown('1_bad.sql')}:1:1: `),
  })
  await expect(runSeeds({ url, files: [path.join(folder, 'seed.sql')], root })).rejects.toMatchObject({
    report: expect.stringContaining(`${shown('seed.sql')}:2:8\n2 | select none;\n  |        ^\n`),
  })
})

test('a file without a statement waits until another one is applied', async () => {
  await save('1_empty.sql', '-- to be written\n;')
  expect(await titles()).toEqual([])
  expect(await states()).toEqual(['1 pending'])
  await save('2_table.sql', 'create table later ();')
  expect(await titles()).toEqual(['1_empty.sql', '2_table.sql'])
})

test('a migration announces one change of the schema, however often the ledger is asked for', async () => {
  await save('1_one.sql', 'create table one ();')
  await titles()
  const notices: string[] = []
  const listener = listen({
    url: database.url,
    applicationName: 'the listener',
    channels: ['pgrst', 'end'],
    onNotice: (channel) => (channel === 'end' ? ended.resolve() : notices.push(channel)),
    onReconnected: () => undefined,
  })
  const ended = Promise.withResolvers<void>()
  await listener.ready
  await save('2_two.sql', 'create table two (); alter table two add column id int;')
  await titles()
  await database.run('notify "end"')
  await ended.promise
  expect(notices).toEqual(['pgrst'])
  await listener.stop()
})

test('a changed or missing old migration stops everything, with what to do', async () => {
  await save('1_one.sql', 'create table one ();')
  await titles()
  await save('1_one.sql', 'create table one (id int);')
  await save('2_two.sql', 'create table two ();')
  await expect(titles()).rejects.toMatchObject({ code: 'changed', migrations: ['1_one.sql'] })
  expect(await states()).toEqual(['1 changed', '2 pending'])
  await rm(path.join(folder, '1_one.sql'))
  await expect(titles()).rejects.toThrow(/1_one\.sql.*pando migrate reset/s)
  expect(await states()).toEqual(['1 missing', '2 pending'])
})

test('line ends of another system are no change, and what another tool applied counts as applied', async () => {
  await save('1_one.sql', 'create table one ();\n')
  await titles()
  await save('1_one.sql', 'create table one ();\r\n')
  expect(await states()).toEqual(['1 applied'])
  await database.run('update supabase_migrations.schema_migrations set checksum = null')
  await save('1_one.sql', 'something else')
  expect(await states()).toEqual(['1 applied'])
})

test('two files of one version are refused', async () => {
  await save('1_one.sql', '')
  await save('1_uno.sql', '')
  await expect(titles()).rejects.toMatchObject({ code: 'duplicate_version', migrations: ['1_one.sql', '1_uno.sql'] })
})

test('two runners at once apply each migration once', async () => {
  await save('1_one.sql', 'create table one (); select pg_sleep(0.2);')
  const applied = await Promise.all([titles(), titles()])
  expect(applied.flat()).toEqual(['1_one.sql'])
})

test('what a migration sets for its session does not reach the next', async () => {
  await save('1_set.sql', `set search_path = pg_catalog; set statement_timeout = 1;`)
  await save('2_use.sql', 'create table in_public (); select pg_sleep(0.05);')
  expect(await titles()).toEqual(['1_set.sql', '2_use.sql'])
})

test('a file that cannot run in a transaction runs without', async () => {
  await save('1_table.sql', 'create table big (id int);')
  await save('2_index.sql', 'create index concurrently big_id on big (id);')
  expect(await titles()).toEqual(['1_table.sql', '2_index.sql'])
})

test('seeds run each in one transaction, and a failing one leaves nothing', async () => {
  await database.run('create table public.seeded (id int primary key); grant all on public.seeded to postgres')
  await save('seed.sql', 'insert into seeded values (1), (2);')
  await save('bad.sql', 'insert into seeded values (3); insert into seeded values (1);')
  const files = (...names: string[]) => names.map((name) => path.join(folder, name))
  await runSeeds({ url: database.urlAs('postgres'), files: files('seed.sql') })
  await expect(runSeeds({ url: database.urlAs('postgres'), files: files('bad.sql') })).rejects.toMatchObject({
    file: 'bad.sql',
    fields: { code: '23505' },
  })
  expect(await database.query('select count(*)::int as rows from public.seeded')).toEqual([{ rows: 2 }])
})
