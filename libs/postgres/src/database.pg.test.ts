import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createDatabase, type Database } from './database.ts'
import { loginUrl } from './login.ts'
import { createTestDatabase, type TestDatabase } from './testing/database.ts'

let server: TestDatabase
let database: Database
beforeAll(async () => {
  server = await createTestDatabase({ conventions: false, sql: 'create table t (id int primary key)' })
  database = createDatabase({ url: server.url, applicationName: 'the test', connectionsMax: 2 })
})
afterAll(async () => {
  await database.close()
  await server.close()
})
beforeEach(() => server.run('truncate t'))

const ids = async (): Promise<unknown[]> =>
  (await server.query('select id from t order by id')).map(({ id }) => id as number)
const selectPid = 'select pg_backend_pid() as pid'

test('values are parameters, and the connection has a name', async () => {
  const sql = `select $1::text as value, current_setting('application_name') as name`
  expect(await database.query(sql, [`'; drop table t`])).toEqual([{ value: `'; drop table t`, name: 'the test' }])
})

test('a transaction commits what fulfils and undoes what rejects', async () => {
  await database.transaction((tx) => tx.query('insert into t values (1)'))
  const failing = database.transaction(async (tx) => {
    await tx.query('insert into t values (2)')
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await ids()).toEqual([1])
})

test('an error of the server is a PostgresError, and the connection stays usable', async () => {
  const twice = database.transaction((tx) => tx.query('insert into t values (1), (1)'))
  await expect(twice).rejects.toMatchObject({ name: 'PostgresError', fields: { code: '23505', constraint: 't_pkey' } })
  await database.transaction((tx) => tx.query('insert into t values (1)'))
  expect(await ids()).toEqual([1])
})

test('a session that the server ends fails its own caller, and the next gets a new one', async () => {
  const killed = database.transaction(async (tx) => {
    const [row] = await tx.query<{ pid: number }>(selectPid)
    await server.query('select pg_terminate_backend($1, 5000)', [row?.pid])
    await tx.query('insert into t values (1)')
  })
  await expect(killed).rejects.toMatchObject({ name: 'PostgresUnavailable', reason: 'connection', sent: true })
  expect(await database.query('select 1 as one')).toEqual([{ one: 1 }])
  expect(await ids()).toEqual([])
})

test('an idle session that the server ends is replaced, and told', async () => {
  const lost = Promise.withResolvers<Error>()
  const other = createDatabase({ url: server.url, applicationName: 'idle', onConnectionLost: lost.resolve })
  const [row] = await other.query<{ pid: number }>(selectPid)
  await server.query('select pg_terminate_backend($1)', [row?.pid])
  expect((await lost.promise).message).toMatch(/terminat/)
  expect(await other.query('select 1 as one')).toEqual([{ one: 1 }])
  await other.close()
})

test('who waits too long for a connection is told that nothing was sent', async () => {
  const small = createDatabase({ url: server.url, applicationName: 'small', connectionsMax: 1, connectMs: 50 })
  await small.withClient(async () => {
    await expect(small.query('select 1')).rejects.toMatchObject({ reason: 'pool', sent: false })
  })
  await small.close()
})

test('a server that is not there is PostgresUnavailable', async () => {
  const nowhere = createDatabase({ url: 'postgresql://a:b@127.0.0.1:1/c', applicationName: 'none' })
  await expect(nowhere.query('select 1')).rejects.toMatchObject({ reason: 'connection', sent: false })
  await nowhere.close()
})

test('a wrong database is an answer of the server', async () => {
  const url = loginUrl(server.url, { database: 'nowhere' })
  const wrong = createDatabase({ url, applicationName: 'wrong' })
  await expect(wrong.query('select 1')).rejects.toMatchObject({ name: 'PostgresError', fields: { code: '3D000' } })
  await wrong.close()
})

test('a statement has a limit', async () => {
  const hasty = createDatabase({ url: server.url, applicationName: 'hasty', statementMsMax: 20 })
  await expect(hasty.query('select pg_sleep(60)')).rejects.toMatchObject({ fields: { code: '57014' } })
  await hasty.close()
})
