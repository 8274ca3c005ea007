import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDatabase } from '../database.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase({ sql: 'create table public.places (id int primary key)' })
})
afterAll(() => database.close())

test('a test database has the conventions, and its own SQL ran as postgres', async () => {
  const [row] = await database.query(`
    select current_user as who, tableowner as owner, pg_get_userbyid(datdba) as database_owner,
      to_regprocedure('auth.uid()') is not null as conventions, current_setting('search_path') as path
    from pg_tables, pg_database where tablename = 'places' and datname = current_database()`)
  expect(row).toEqual({
    who: 'supabase_admin',
    owner: 'postgres',
    database_owner: 'postgres',
    conventions: true,
    path: '"$user", public, extensions',
  })
})

test('the API logs in as authenticator and can become the API roles', async () => {
  const api = createDatabase({ url: database.apiUrl, applicationName: 'test' })
  const rows = await api.transaction(async (tx) => {
    await tx.query('set local role anon')
    return await tx.query('select session_user, current_user')
  })
  await api.close()
  expect(rows).toEqual([{ session_user: 'authenticator', current_user: 'anon' }])
})

test('a database without conventions is empty, and several exist side by side', async () => {
  const [one, two] = await Promise.all([
    createTestDatabase({ conventions: false, sql: 'create table t ()' }),
    createTestDatabase({ conventions: false }),
  ])
  expect(await one.query("select nspname from pg_namespace where nspname in ('auth', 'pando')")).toEqual([])
  expect(await two.query("select 1 from pg_tables where tablename = 't'")).toEqual([])
  await one.close()
  await two.close()
  expect(await database.query('select 1 from pg_database where datname in ($1, $2)', [one.name, two.name])).toEqual([])
})
