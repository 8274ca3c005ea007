import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createDatabase } from '../database.ts'
import { loginUrl } from '../login.ts'
import { createTestDatabase, type TestDatabase } from '../testing/database.ts'
import { startScratchCluster, type ScratchCluster } from '../testing/scratch-cluster.ts'
import { makeTemporaryFolder } from '../testing/temporary-folder.ts'
import { ensureConventions, listConventionFolders, type ConventionFolder } from './conventions.ts'
import { lockPurposes, lockSpace } from './session.ts'

const servicesFolder = path.join(import.meta.dirname, '../../../../services')

let database: TestDatabase
let root: string
let folders: ConventionFolder[]
beforeAll(async () => {
  root = await makeTemporaryFolder('pando-conventions-')
})
afterAll(() => rm(root, { recursive: true }))
beforeEach(async () => {
  database = await createTestDatabase({ conventions: false })
  folders = ['first', 'second'].map((name) => ({ name, path: path.join(root, database.name, name) }))
  for (const folder of folders) await mkdir(folder.path, { recursive: true })
})
afterEach(() => database.close())

const save = (name: string, text: string): Promise<void> => writeFile(path.join(root, database.name, name), text)
const ensure = (given = folders): Promise<string[]> => ensureConventions({ url: database.url, folders: given })

test('files are applied once, folder by folder, sorted by name', async () => {
  await save('second/0001-b.sql', 'insert into t values (3)')
  await save('first/0002-a.sql', 'insert into t values (2)')
  await save('first/0001-a.sql', 'create table t (id serial, step int); insert into t (step) values (1)')
  await save('first/README.md', 'not SQL')
  expect(await ensure()).toEqual(['first/0001-a.sql', 'first/0002-a.sql', 'second/0001-b.sql'])
  expect(await ensure()).toEqual([])
  await save('second/0002-c.sql', 'create table later ()')
  expect(await ensure()).toEqual(['second/0002-c.sql'])
})

test('when nothing is to do it does not wait for the lock', async () => {
  await save('first/0001-a.sql', 'create table t ()')
  await ensure()
  await database.query('select pg_advisory_lock($1, $2)', [lockSpace, lockPurposes.system])
  expect(await ensure()).toEqual([])
})

test('many nodes at once apply each file once', async () => {
  await save('first/0001-a.sql', 'create table t (); select pg_sleep(0.1)')
  const applied = await Promise.all(Array.from({ length: 5 }, () => ensure()))
  expect(applied.flat()).toEqual(['first/0001-a.sql'])
})

test('a failing file leaves nothing, those before it stay', async () => {
  await save('first/0001-a.sql', 'create table a ()')
  await save('first/0002-b.sql', 'create table b ();\nselect nonsense')
  await expect(ensure()).rejects.toMatchObject({ name: 'SqlFileError', file: 'first/0002-b.sql', place: { line: 2 } })
  await save('first/0002-b.sql', 'create table b ()')
  expect(await ensure()).toEqual(['first/0002-b.sql'])
})

test('a database of a newer version is refused and not touched', async () => {
  await save('first/0001-a.sql', 'create table a ()')
  await save('first/0002-b.sql', 'create table b ()')
  await ensure()
  await rm(path.join(root, database.name, 'first/0002-b.sql'))
  await save('second/0001-c.sql', 'create table c ()')
  await expect(ensure()).rejects.toMatchObject({
    code: 'unknown_applied',
    migrations: ['first/0002-b.sql'],
    message: expect.stringContaining('newer version'),
  })
  expect(await database.query(`select to_regclass('c') as c`)).toEqual([{ c: null }])
})

test('who allows it goes on with a database of a newer version, unless that lacks something too', async () => {
  await save('first/0001-a.sql', 'create table a ()')
  await save('first/0002-b.sql', 'create table b ()')
  await ensure()
  await rm(path.join(root, database.name, 'first/0002-b.sql'))
  const newer: string[] = []
  const goOn = () => ensureConventions({ url: database.url, folders, onNewer: (titles) => newer.push(...titles) })
  expect(await goOn()).toEqual([])
  expect(newer).toEqual(['first/0002-b.sql'])
  await save('second/0001-c.sql', 'create table c ()')
  await expect(goOn()).rejects.toMatchObject({ code: 'unknown_applied' })
})

test('a file that changed afterwards is refused', async () => {
  await save('first/0001-a.sql', 'create table a ()')
  await ensure()
  await save('first/0001-a.sql', 'create table a (id int)')
  await expect(ensure()).rejects.toMatchObject({ code: 'changed', migrations: ['first/0001-a.sql'] })
})

test('a node that runs some services only leaves the others alone', async () => {
  await save('first/0001-a.sql', 'create table a ()')
  await save('second/0001-b.sql', 'create table b ()')
  await ensure()
  expect(await ensure(folders.slice(0, 1))).toEqual([])
})

test('parameters hold while the files run, and notices say which file they are of', async () => {
  await save(
    'first/0001-a.sql',
    `do $$ begin raise notice 'exposed: %', current_setting('pando.auto_expose_new_tables'); end $$`,
  )
  const notices: string[] = []
  await ensureConventions({
    url: database.url,
    folders,
    parameters: { 'pando.auto_expose_new_tables': 'off' },
    onNotice: ({ migration, message }) => notices.push(`${migration}: ${message}`),
  })
  expect(notices).toContain('first/0001-a.sql: exposed: off')
})

test('a file that changes its role or path does not change those after it', async () => {
  await save('first/0001-a.sql', `set role pg_monitor; set search_path = ''`)
  await save('first/0002-b.sql', 'create table t as select current_user::text as who')
  await ensure()
  expect(await database.query('select who from public.t')).toEqual([{ who: 'supabase_admin' }])
})

test('a server of its own, reached by its URL, gets all conventions of the house', async () => {
  const cluster: ScratchCluster = await startScratchCluster({ sql: 'create database app' })
  const url = loginUrl(cluster.url, { database: 'app' })
  const house = await listConventionFolders(servicesFolder)
  const applied = await ensureConventions({ url, folders: house })
  expect(applied[0]).toBe('conventions/0001-roles.sql')
  expect(applied).toContain('auth/0001-create-schema.sql')
  expect(await ensureConventions({ url, folders: house })).toEqual([])
  const app = createDatabase({ url, applicationName: 'test' })
  expect(await app.query(`select rolname from pg_roles where rolname in ('anon', 'authenticator') order by 1`)).toEqual(
    [{ rolname: 'anon' }, { rolname: 'authenticator' }],
  )
  await app.close()
  await cluster.stop()
})
