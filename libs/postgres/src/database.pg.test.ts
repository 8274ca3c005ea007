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

test('an answer that does not come in time costs its connection, and the next caller gets another', async () => {
  const impatient = createDatabase({
    url: server.url,
    applicationName: 'impatient',
    connectionsMax: 1,
    answerMsMax: 200,
  })
  const late = impatient.query('select pg_sleep(3600)')
  await expect(late).rejects.toMatchObject({ name: 'PostgresUnavailable', reason: 'connection', sent: true })
  expect(await impatient.query('select 1 as one')).toEqual([{ one: 1 }])
  await impatient.close()
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

/** Statements that the session keeps, but for this question. */
const listPrepared = (of: Database) =>
  of.query<{ name: string; statement: string; uses: number }>(
    `select name, statement, (generic_plans + custom_plans)::int as uses from pg_prepared_statements
    where statement like 'insert%' order by statement`,
    [],
  )

test('with `prepares` each text with values is planned once a connection, whatever the values', async () => {
  const url = server.url
  const preparing = createDatabase({ url, applicationName: 'preparing', connectionsMax: 1, prepares: true })
  for (const id of [1, 2]) await preparing.query('insert into t values ($1)', [id])
  await preparing.transaction((tx) => tx.query('insert into t values ($1)', [3]))
  await preparing.query('insert into t values ($1), ($1 + 1)', [4])
  const [one, other] = await listPrepared(preparing)
  expect(one).toMatchObject({ statement: 'insert into t values ($1)', uses: 3 })
  expect(other).toMatchObject({ statement: 'insert into t values ($1), ($1 + 1)', uses: 1 })
  expect(one?.name).not.toBe(other?.name)
  expect(await ids()).toEqual([1, 2, 3, 4, 5])
  await preparing.close()
})

test('a prepared statement that fails is good for the next values', async () => {
  const preparing = createDatabase({ url: server.url, applicationName: 'preparing', connectionsMax: 1, prepares: true })
  const insert = (id: number) => preparing.query('insert into t values ($1)', [id])
  await insert(1)
  await expect(insert(1)).rejects.toMatchObject({ fields: { code: '23505' } })
  await insert(2)
  expect(await ids()).toEqual([1, 2])
  await preparing.close()
})

test('without `prepares` nothing is kept in a session, so that a pooler may change it between any two statements', async () => {
  const plain = createDatabase({ url: server.url, applicationName: 'plain', connectionsMax: 1 })
  const preparing = createDatabase({ url: server.url, applicationName: 'preparing', connectionsMax: 1, prepares: true })
  const insertTwice = async (into: Database, id: number) => {
    await into.query('insert into t values ($1)', [id])
    // What a pooler in transaction mode does to a session that it hands to somebody else.
    await into.query('discard all')
    await into.query('insert into t values ($1)', [id + 1])
  }
  await insertTwice(plain, 1)
  expect(await listPrepared(plain)).toEqual([])
  await expect(insertTwice(preparing, 3)).rejects.toMatchObject({ fields: { code: '26000' } })
  expect(await ids()).toEqual([1, 2, 3])
  await plain.close()
  await preparing.close()
})
