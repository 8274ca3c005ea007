import { createTestBus, type TestBus } from '@pando/bus/testing/test-bus'
import { createDatabase, type Database } from '@pando/postgres/database'
import {
  startReplicatedCluster,
  type ReplicatedCluster,
  type TestServer,
} from '@pando/postgres/testing/replicated-cluster'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestReader, type TestReader } from './testing/test-reader.ts'

/** Two processes that talk through Postgres, one of which reads; all of them follow the primary. */
let cluster: ReplicatedCluster
let primary: TestServer
let database: Database
let nodes: { readonly bus: TestBus; readonly reader: TestReader }[]
const url = (): string => primary.url

beforeAll(async () => {
  cluster = await startReplicatedCluster({
    replicas: 1,
    sql: `create table numbers (n int); create publication feed for table numbers;
      select pg_create_physical_replication_slot('standby')`,
    settings: { primary_slot_name: 'standby', hot_standby_feedback: 'on', sync_replication_slots: 'on' },
  })
  primary = cluster.primary
  // Nothing is read that the replica does not have.
  await primary.query("alter system set synchronized_standby_slots = 'standby'")
  await primary.query('select pg_reload_conf()')
  database = createDatabase({ url, applicationName: 'test', connectionsMax: 1 })
  nodes = [await startNode(), await startNode()]
})
afterAll(async () => {
  for (const { reader, bus } of nodes ?? []) {
    await reader.stop()
    await bus.stop()
  }
  await database?.close()
  await cluster?.remove()
})

async function startNode() {
  const bus = createTestBus({ url })
  await bus.start()
  // Replicas take a slot over when it has moved on, as it does with the window.
  const reader = createTestReader({ url, bus, limits: { window: 500 } })
  await reader.start()
  return { bus, reader }
}
const isLong = { timeout: 40_000, interval: 50 }
const insert = (from: number, to: number) =>
  database.query(`insert into numbers select generate_series(${from}, ${to})`)
const numbers = ({ reader }: (typeof nodes)[number]): number[] => reader.changes().map(({ row }) => Number(row?.[0]))
const untilRead = (last: number) =>
  Promise.all(nodes.map((node) => node.reader.until(() => numbers(node).at(-1) === last)))
const selectSlots = 'select count(*)::int as slots from pg_replication_slots where synced and not temporary'

test('where replicas have the slot, a failover is followed without a gap: nothing is missing, double, or to be fetched again', async () => {
  const replica = cluster.replicas[0]!
  await expect.poll(() => nodes.map(({ reader }) => reader.state()), isLong).toEqual(['reading', 'following'])
  await insert(1, 5)
  const isSynchronised = async (): Promise<number> => {
    await primary.query('select pg_log_standby_snapshot()')
    return Number((await replica.query(selectSlots))[0]!['slots'])
  }
  await expect.poll(isSynchronised, isLong).toBe(1)
  await insert(6, 10)
  await untilRead(10)

  await replica.catchUp(primary)
  await primary.kill()
  await replica.promote()
  primary = replica
  await expect.poll(() => insert(11, 11).then(() => 'done', String), isLong).toBe('done')
  await untilRead(11)
  await insert(12, 20)
  await untilRead(20)
  for (const node of nodes) {
    expect(numbers(node)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    expect(node.reader.resets).toEqual([])
  }
  await expect
    .poll(() => nodes.map(({ reader }) => reader.state()).toSorted(), isLong)
    .toEqual(['following', 'reading'])
})

test('where they do not, everybody is told to fetch again, and nothing is skipped in silence', async () => {
  const replica = cluster.primary
  await replica.rebuild(primary)
  await replica.start()
  await replica.catchUp(primary)
  const { cursor } = nodes[0]!.reader.changes().at(-1)!
  await primary.kill()
  await replica.promote()
  await expect
    .poll(async () => (await replica.query('select pg_is_in_recovery() as is'))[0], isLong)
    .toEqual({ is: false })
  await replica.query(
    "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_type = 'logical'",
  )
  primary = replica
  await expect.poll(() => insert(21, 21).then(() => 'done', String), isLong).toBe('done')
  for (const { reader } of nodes) await reader.until(() => reader.resets.length > 0)
  await expect
    .poll(() => nodes.map(({ reader }) => reader.state()).toSorted(), isLong)
    .toEqual(['following', 'reading'])
  await insert(22, 22)
  await untilRead(22)
  for (const { reader } of nodes) expect(reader.since(cursor)).toBeUndefined()
})
