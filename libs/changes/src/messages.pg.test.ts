import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestReader, type TestReader } from './testing/test-reader.ts'

let database: TestDatabase
let reader: TestReader
beforeAll(async () => {
  database = await createTestDatabase()
  await database.run('create publication sent for table realtime.messages with (publish_via_partition_root = true)')
  await database.run('create table public.places (id int primary key, name text)')
  // A role that may replicate and nothing else.
  const url = database.urlAs('supabase_replication_admin')
  reader = createTestReader({ url, publications: ['supabase_realtime', 'sent'] })
  await reader.start()
})
afterAll(async () => {
  await reader.stop()
  await database.close()
})

test('messages of all days are rows of one table, and tables of a migration join in', async () => {
  await database.run(`
    select realtime.send('{"n": 1}', 'hello', 'room', false);
    insert into realtime.messages (topic, extension, inserted_at) values ('room', 'broadcast', now() + interval '1 day')`)
  await database.run('alter publication supabase_realtime add table public.places')
  await database.run("insert into public.places values (1, 'Oslo')")
  await reader.until(() => reader.changes().length === 3)
  expect(reader.changes().map(({ relation }) => `${relation.schema}.${relation.table}`)).toEqual([
    'realtime.messages',
    'realtime.messages',
    'public.places',
  ])
  const [first] = reader.changes()
  const topic = first?.relation.columns.findIndex(({ name }) => name === 'topic')
  expect(first?.row?.[topic ?? -1]).toBe('room')
})

test('a change of the schema stands at its place among the changes of rows', async () => {
  const before = reader.transactions.length
  await database.run("insert into public.places values (2, 'Bergen')")
  await database.run('revoke select on public.places from anon')
  await database.run(`select pg_logical_emit_message(true, 'somebody', repeat('x', 100)),
    pg_logical_emit_message(false, 'pando.schema', '')`)
  await database.run(
    "begin; create policy p on public.places using (true); insert into public.places values (3, 'Hamar'); commit",
  )
  await reader.until(() => reader.transactions.length === before + 3)
  expect(reader.transactions.slice(before).map(({ notices, changes }) => [notices, changes.length])).toEqual([
    [[], 1],
    [['pando.schema'], 0],
    [['pando.schema'], 1],
  ])
})
