import { rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase, type Database } from '@pando/postgres/database'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@pando/postgres/embedded/start'
import { freePort } from '@pando/postgres/testing/free-port'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startFaultProxy } from '@pando/tools/fault-proxy'
import { createTestReader, type TestReader } from './testing/test-reader.ts'

/** Servers of these tests' own: they are stopped, and give slots up. */
let folder: string
let port: number
let server: EmbeddedPostgres
let database: Database
let reader: TestReader | undefined
beforeAll(async () => {
  folder = await makeTemporaryFolder('pando-changes-')
  port = await freePort()
  await startServer()
  await database.query('create table numbers (n int); create publication feed for table numbers')
})
afterEach(() => reader?.stop())
afterAll(async () => {
  await stopServer()
  await rm(folder, { recursive: true, force: true })
})

async function startServer(settings: Record<string, string> = {}): Promise<void> {
  server = await startEmbeddedPostgres({ dataFolder: path.join(folder, 'postgres'), port, settings })
  database = createDatabase({ url: server.url, applicationName: 'test', connectionsMax: 2 })
}
async function stopServer(): Promise<void> {
  await database.close()
  await server.stop()
}
const insert = (n: number): Promise<unknown> => database.query('insert into numbers values ($1)', [n])
const numbers = (): unknown[] => reader!.changes().map(({ row }) => row?.[0])
const untilRead = (last: number): Promise<void> => reader!.until(() => numbers().at(-1) === String(last))

test('a server that stops does not wait for the window, and is read on exactly when it is back', async () => {
  reader = createTestReader({ url: server.url })
  await reader.start()
  await insert(1)
  await untilRead(1)
  await insert(2)
  // Would wait for a reader that has not confirmed everything.
  await stopServer()
  await reader.until(() => reader!.observations.some(({ kind }) => kind === 'stream.lost'))
  await startServer()
  await insert(3)
  await untilRead(3)
  expect(numbers()).toEqual(['1', '2', '3'])
  expect(reader.resets).toEqual([])
  expect(reader.since(reader.changes()[0]!.cursor)).toHaveLength(2)
})

test('a server that is not there is waited for', async () => {
  await stopServer()
  reader = createTestReader({ url: server.url })
  await reader.start()
  expect(reader.state()).toBe('starting')
  await startServer()
  await reader.until(() => reader!.state() === 'reading')
  await insert(4)
  await untilRead(4)
})

test('a slot for which the server did not keep the log is replaced, and everybody is told', async () => {
  reader = createTestReader({ url: server.url })
  await reader.start()
  await reader.stop()
  await stopServer()
  await startServer({ max_slot_wal_keep_size: '1MB', min_wal_size: '32MB', max_wal_size: '32MB' })
  for (let round = 0; round < 4; round++) {
    await database.query("select pg_logical_emit_message(false, 'filler', repeat('x', 1000000)), pg_switch_wal()")
  }
  await database.query('checkpoint')
  expect(await database.query('select wal_status from pg_replication_slots')).toEqual([{ wal_status: 'lost' }])

  reader = createTestReader({ url: server.url })
  await reader.start()
  await reader.until(() => reader!.state() === 'reading')
  expect(reader.resets).toMatchObject([{ reason: expect.stringContaining('gave it up') }])
  await insert(5)
  await untilRead(5)
  expect(numbers()).toEqual(['5'])
})

test('who follows is told to fetch when nothing is missed any more, not when the slot is found to be lost', async () => {
  await stopServer()
  await startServer({ idle_replication_slot_timeout: '1s' })
  reader = createTestReader({ url: server.url, limits: { retryPause: 6_000, retryPauseMax: 6_000 } })
  await reader.start()
  await database.query("select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'walsender'")
  const isLost = async (): Promise<unknown> => {
    await database.query('checkpoint')
    return (await database.query('select wal_status from pg_replication_slots'))[0]
  }
  await expect.poll(isLost, { timeout: 10_000 }).toEqual({ wal_status: 'lost' })
  const isCreating = (): boolean => reader!.observations.some(({ kind }) => kind === 'slot.creating')
  await database.transaction(async ({ query }) => {
    // For the end of this one a new slot waits.
    await query('insert into numbers values (6)', [])
    await reader!.until(isCreating)
    await insert(7)
    expect(reader!.resets).toEqual([])
  })
  await reader.until(() => reader!.state() === 'reading')
  expect(reader.resets).toMatchObject([{ reason: expect.stringContaining('idle_timeout') }])
  await insert(8)
  await untilRead(8)
})

test('the reader is never the standby that commits wait for', async () => {
  reader = createTestReader({ url: server.url, limits: { window: 200 } })
  await reader.start()
  await database.query("alter system set synchronous_standby_names = '*'")
  await database.query('select pg_reload_conf()')
  const confirmed = async () => (await database.query('select confirmed_flush_lsn as lsn from pg_replication_slots'))[0]
  const before = await confirmed()
  while ((await confirmed())?.['lsn'] === before?.['lsn']) {
    await database.query("select pg_logical_emit_message(false, 'filler', 'x', true)")
    await sleep(20)
  }
  const rows = await database.query('select flush_lsn, sync_state from pg_stat_replication')
  await database.query('alter system reset synchronous_standby_names')
  await database.query('select pg_reload_conf()')
  expect(rows).toEqual([{ flush_lsn: null, sync_state: 'async' }])
})

test('a connection on which nothing comes any more is given up, by the server too', async () => {
  const relay = await startFaultProxy(server.tcpUrl!)
  reader = createTestReader({ url: relay.url, limits: { silence: 1000 } })
  await reader.start()
  await insert(6)
  await untilRead(6)
  relay.freeze()
  await insert(7)
  await untilRead(7)
  await relay.stop()
  expect(numbers().slice(-2)).toEqual(['6', '7'])
  expect(reader.resets).toEqual([])
  expect(reader.observations.find(({ kind }) => kind === 'stream.lost')).toMatchObject({
    cause: { message: 'Postgres has said nothing for 1000 ms' },
  })
})
