import { setTimeout as sleep } from 'node:timers/promises'
import { createTestBus, type TestBus, type TestBusOptions } from '@pando/bus/testing/test-bus'
import { startRedis, type TestRedis } from '@pando/bus/testing/start-redis'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { numbersTo, writeNumbers } from './testing/number-writer.ts'
import { startReaderProcess } from './testing/start-reader-process.ts'
import { createTestReader, type TestReader, type TestReaderOptions } from './testing/test-reader.ts'

/** A process: its bus and its reader. */
type Node = { readonly bus: TestBus; readonly reader: TestReader }

let redis: TestRedis
let database: TestDatabase
let nodes: Node[]
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  nodes = []
  database = await createTestDatabase({
    conventions: false,
    sql: 'create table numbers (n int); create table other (n int); create publication feed for table numbers',
  })
})
afterEach(async () => {
  await Promise.all(nodes.map(stopNode))
  await database.close()
})

type NodeOptions = Omit<TestReaderOptions, 'url' | 'bus'> & { readonly bus?: Partial<TestBusOptions> }

async function startNode({ bus: busOptions, ...options }: NodeOptions = {}): Promise<Node> {
  const bus = createTestBus({ url: database.url, redisUrl: redis.url, ...busOptions })
  await bus.start()
  const reader = createTestReader({ url: database.url, ...options, bus })
  const node = { bus, reader }
  nodes.push(node)
  await reader.start()
  return node
}
async function startNodes(count: number, options: NodeOptions = {}): Promise<Node[]> {
  const started: Node[] = []
  for (let n = 0; n < count; n++) started.push(await startNode(options))
  // On a busy machine the first word of who reads may come after `start`.
  for (const { reader } of started) await reader.until(() => ['reading', 'following'].includes(reader.state()))
  return started
}
async function stopNode({ bus, reader }: Node): Promise<void> {
  await reader.stop()
  await bus.stop()
}
const numbersOf = ({ reader }: Node): unknown[] => reader.changes().map(({ row }) => row?.[0])
const untilRead = ({ reader }: Node, last: number): Promise<void> =>
  reader.until(() => Number(reader.changes().at(-1)?.row?.[0]) >= last)
const insert = (from: number, to = from): Promise<void> =>
  database.run(`insert into numbers select generate_series(${from}, ${to})`)
const terminateReaders = (): Promise<unknown> =>
  database.query(`select pg_terminate_backend(pid) from pg_stat_replication
    where pid in (select active_pid from pg_replication_slots where database = current_database())`)
const statesOf = (all: readonly Node[]): string[] => all.map(({ reader }) => reader.state())
const contentsOf = ({ reader }: Node) =>
  reader.transactions.map(({ changes, ...rest }) => ({ ...rest, changes: changes.map((change) => ({ ...change })) }))

test('who follows is told the same as who reads, and answers the same', async () => {
  await database.run('create table kinds (id int primary key, a text, b text); alter publication feed add table kinds')
  const [first, second, third] = (await startNodes(3)) as [Node, Node, Node]
  expect(statesOf(nodes)).toEqual(['reading', 'following', 'following'])
  await database.run(`insert into kinds values (1, 'é"\\n', null), (2, repeat('x', 10000), 'y')`)
  await database.run(`begin; update kinds set b = 'z' where id = 2; delete from kinds where id = 1; commit`)
  await database.run('truncate kinds, numbers')
  await database.run("select pg_logical_emit_message(true, 'pando.schema', '')")
  await insert(1, 3)
  for (const node of nodes) await untilRead(node, 3)
  expect(contentsOf(second)).toEqual(contentsOf(first))
  expect(contentsOf(third)).toEqual(contentsOf(first))
  expect(first.reader.transactions.flatMap(({ notices }) => notices)).toEqual(['pando.schema'])
  for (const { cursor } of first.reader.changes()) {
    const answer = first.reader.since(cursor)!
    expect(second.reader.since(cursor)).toEqual(answer)
    expect(third.reader.since(cursor)).toEqual(answer)
  }
  for (const { reader } of nodes) expect(reader.since(reader.latest())).toEqual([])
})

test('a table is described anew on all after its policies or privileges were changed', async () => {
  await startNodes(2)
  const ways = [
    'alter table numbers enable row level security',
    'create policy "all" on numbers using (true)',
    'grant select on numbers to public',
  ]
  await insert(1)
  for (const [at, way] of ways.entries()) {
    await database.run(way)
    await insert(at * 2 + 2)
    await insert(at * 2 + 3)
  }
  for (const node of nodes) {
    await untilRead(node, 7)
    const places = node.reader.changes().map(({ relation }) => relation.describedAt)
    expect(new Set(places).size).toBe(4)
    expect(places.map((place) => places.indexOf(place))).toEqual([0, 1, 1, 3, 3, 5, 5])
  }
})

test('who waits for a place that only another process has read so far is told when it is here', async () => {
  const [first, second] = (await startNodes(2, { limits: { aheadTimeout: 60_000 } })) as [Node, Node]
  await insert(1)
  await untilRead(second, 1)
  const hear = second.bus.deafen()
  await insert(2)
  await untilRead(first, 2)
  const { cursor } = first.reader.changes()[1]!
  const arrived = new Promise<void>((resolve) => second.reader.whenReached(cursor, resolve))
  expect(second.reader.since(cursor)).toBe(undefined)
  hear()
  await insert(3)
  await arrived
  await untilRead(second, 3)
  expect(second.reader.since(cursor)?.map(({ row }) => row?.[0])).toEqual(['3'])
})

test('a reader that is alone sends nothing', async () => {
  const alone = await startNode()
  await insert(1)
  await untilRead(alone, 1)
  expect(alone.bus.count('message.sent')).toBe(0)
})

test('who starts late is given the window, in pieces, and then what comes', async () => {
  const first = await startNode()
  await database.run(`insert into numbers select generate_series(1, 3)`)
  const writer = writeNumbers(database)
  await database.run('create table wide (body text); alter publication feed add table wide')
  for (let n = 0; n < 6; n++)
    await database.run(`insert into wide select repeat(md5('${n}'), 3000) from generate_series(1, 10)`)
  await writer.more(100)
  // What the first has not read yet would come to the late one as it is read.
  await first.reader.until(
    () => first.reader.changes().filter(({ relation }) => relation.table === 'wide').length === 60,
  )
  const late = await startNode()
  await expect.poll(() => late.reader.state()).toBe('following')
  await writer.more(100)
  const last = await writer.stop()
  for (const node of nodes) await untilRead(node, last)
  expect(contentsOf(late)).toEqual(contentsOf(first))
  expect(late.reader.resets).toEqual([])
  expect(first.reader.observations.filter(({ kind }) => kind === 'relay.answered').length).toBeGreaterThan(2)
})

test.each([
  ['Redis', () => redis.url],
  ['Postgres', () => null],
])(
  'while the slot goes from one to another, each misses nothing and hears nothing twice, through %s',
  async (_, url) => {
    const trio = await startNodes(3, { bus: { redisUrl: url() } })
    const writer = writeNumbers(database)
    for (let round = 0; round < 6; round++) {
      await writer.more(50)
      await terminateReaders()
    }
    const last = await writer.stop()
    for (const node of trio) await untilRead(node, last)
    for (const node of trio) {
      expect(numbersOf(node)).toEqual(numbersTo(last))
      expect(node.reader.resets).toEqual([])
    }
  },
)

test('when the one that reads is gone another takes over, and those that follow go on', async () => {
  const trio = await startNodes(3)
  const cursors: string[] = []
  const writer = writeNumbers(database)
  await writer.more(50)
  const [first, ...rest] = trio as [Node, Node, Node]
  await stopNode(first)
  await rest[0]!.reader.until(() => statesOf(rest).includes('reading'))
  await writer.more(50)
  const fourth = await startNode()
  await writer.more(20)
  const last = await writer.stop()
  const living = [...rest, fourth]
  for (const node of living) await untilRead(node, last)
  for (const node of living) {
    expect(numbersOf(node)).toEqual(numbersTo(last))
    expect(node.reader.resets).toEqual([])
  }
  cursors.push(...first.reader.changes().map(({ cursor }) => cursor))
  for (const [index, cursor] of cursors.entries()) {
    for (const { reader } of living) expect(reader.since(cursor)).toHaveLength(last - index - 1)
  }
})

test('when the process that reads is killed, another reads on', async () => {
  const killed = await startReaderProcess({ url: database.url, redisUrl: redis.url })
  const pair = await startNodes(2)
  expect(statesOf(pair)).toEqual(['following', 'following'])
  const writer = writeNumbers(database)
  await writer.more(100)
  await killed.kill()
  await writer.more(100)
  const last = await writer.stop()
  for (const node of pair) await untilRead(node, last)
  for (const node of pair) {
    expect(numbersOf(node)).toEqual(numbersTo(last))
    expect(node.reader.resets).toEqual([])
  }
  expect(statesOf(pair).toSorted()).toEqual(['following', 'reading'])
})

test('Redis killed and restarted under traffic costs no change', async () => {
  const own = await startRedis()
  const trio = await startNodes(3, { bus: { redisUrl: own.url } })
  const writer = writeNumbers(database)
  for (let round = 0; round < 3; round++) {
    await writer.more(60)
    await own.kill()
    await writer.more(60)
    await own.restart()
  }
  const last = await writer.stop()
  for (const node of trio) await untilRead(node, last)
  for (const node of trio) {
    expect(numbersOf(node)).toEqual(numbersTo(last))
    expect(node.reader.resets).toEqual([])
  }
  await Promise.all(nodes.splice(0).map(stopNode))
  await own.stop()
})

test('what the bus has lost is fetched from the window', async () => {
  // A follower whose bus hears nothing for a while, and forgets what it missed.
  const [first, second] = (await startNodes(2, { bus: { redisUrl: null, options: { pendingBytesMax: 20_000 } } })) as [
    Node,
    Node,
  ]
  await insert(1)
  await untilRead(second, 1)
  for (let round = 0; round < 5; round++) {
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'pando bus' and datname = current_database()`,
    )
    for (let n = 0; n < 50; n++) await insert(2 + round * 50 + n)
  }
  await untilRead(first, 251)
  await untilRead(second, 251)
  expect(numbersOf(second)).toEqual(numbersTo(251))
  expect(second.reader.resets).toEqual([])
  expect(second.reader.observations.some(({ kind }) => kind === 'relay.asked')).toBe(true)
})

test('who missed more than the window holds is told to begin anew, and goes on', async () => {
  const first = await startNode({ limits: { window: 50 } })
  const second = await startNode({ bus: { redisUrl: null } })
  await insert(1)
  await untilRead(second, 1)
  const { cursor } = second.reader.changes()[0]!
  // Nothing that the first says is heard until its window has forgotten it.
  const end = second.bus.deafen()
  await insert(2, 3)
  await untilRead(first, 3)
  while (first.reader.since(cursor) !== undefined) await sleep(20)
  end()
  await insert(4)
  await second.reader.until(() => second.reader.resets.length > 0)
  await insert(5)
  await untilRead(second, 5)
  expect(second.reader.resets).toMatchObject([{ reason: expect.stringContaining('missed'), tables: undefined }])
  expect(second.reader.since(cursor)).toBe(undefined)
  expect(numbersOf(second)).not.toContain('2')
  expect(numbersOf(first)).toEqual(numbersTo(5))
})

test('what the reader cannot tell is told by all: large transactions, publications that come', async () => {
  await database.run('create table wide (body text); alter publication feed add table wide')
  const options = { publications: ['feed', 'late'], limits: { transactionBytesMax: 1024 ** 2 } }
  const pair = await startNodes(2, options)
  await insert(1)
  await database.run("insert into wide select repeat('x', 500) from generate_series(1, 5000)")
  await insert(2)
  for (const node of pair) await untilRead(node, 2)
  await database.run('create publication late for table other')
  for (const { reader } of pair) await reader.until(() => reader.resets.length === 2)
  await database.run('insert into other values (3)')
  for (const node of pair) await untilRead(node, 3)
  for (const node of pair) {
    expect(node.reader.resets.map(({ tables }) => tables)).toEqual([['wide'], undefined])
    expect(numbersOf(node)).toEqual(numbersTo(3))
  }
})

test('a transaction that is larger than one message arrives whole', async () => {
  await database.run('create table wide (n int, body text); alter publication feed add table wide')
  const [first, second] = (await startNodes(2)) as [Node, Node]
  await database.run(`insert into wide select n, repeat(md5(n::text), 100) from generate_series(1, 2000) as n`)
  await untilRead(second, 2000)
  expect(contentsOf(second)).toEqual(contentsOf(first))
})

test('a slot that is gone is made anew, and everybody is told', async () => {
  const pair = await startNodes(2)
  await insert(1)
  for (const node of pair) await untilRead(node, 1)
  const [slot] = await database.query<{ name: string }>(
    'select slot_name as name from pg_replication_slots where database = current_database()',
  )
  for (;;) {
    await terminateReaders()
    const dropped = await database.query('select pg_drop_replication_slot($1)', [slot!.name]).catch(() => undefined)
    if (dropped !== undefined) break
  }
  for (const { reader } of pair) await reader.until(() => reader.resets.length > 0)
  await pair[0]!.reader.until(() => statesOf(pair).includes('reading'))
  await insert(2)
  for (const node of pair) await untilRead(node, 2)
  for (const node of pair) expect(numbersOf(node)).toEqual(['1', '2'])
})
