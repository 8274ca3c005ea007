import { setTimeout as sleep } from 'node:timers/promises'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestReader, type TestReader, type TestReaderOptions } from './testing/test-reader.ts'
import { numbersTo, writeNumbers } from './testing/number-writer.ts'

let database: TestDatabase
let readers: TestReader[]
beforeEach(async () => {
  readers = []
  database = await createTestDatabase({
    conventions: false,
    sql: 'create table numbers (n int); create table other (n int); create publication feed for table numbers',
  })
})
afterEach(async () => {
  await Promise.all(readers.map((reader) => reader.stop()))
  await database.close()
})

function newReader(options: Omit<TestReaderOptions, 'url'> = {}): TestReader {
  const reader = createTestReader({ url: database.url, ...options })
  readers.push(reader)
  return reader
}
async function startReader(options: Omit<TestReaderOptions, 'url'> = {}): Promise<TestReader> {
  const reader = newReader(options)
  await reader.start()
  return reader
}
const numbersOf = (reader: TestReader): unknown[] => reader.changes().map(({ row }) => row?.[0])
const insert = (from: number, to = from): Promise<void> =>
  database.run(`insert into numbers select generate_series(${from}, ${to})`)
const untilRead = (reader: TestReader, last: number): Promise<void> =>
  reader.until(() => Number(numbersOf(reader).at(-1)) >= last)
const slotRow = async () => {
  const [row] = await database.query<{ name: string; active: boolean; confirmed: string; behind: number }>(`
    select slot_name as name, active, confirmed_flush_lsn::text as confirmed,
      pg_wal_lsn_diff(pg_current_wal_insert_lsn(), confirmed_flush_lsn)::int as behind
    from pg_replication_slots where database = current_database()`)
  return row
}
const terminateReaders = (): Promise<unknown> =>
  database.query(`select pg_terminate_backend(pid) from pg_stat_replication
    where pid in (select active_pid from pg_replication_slots where database = current_database())`)

test('a reader whose backend is killed again and again misses nothing and tells nothing twice', async () => {
  const reader = await startReader()
  const writer = writeNumbers(database)
  for (let round = 0; round < 8; round++) {
    await writer.more(50)
    await terminateReaders()
  }
  const last = await writer.stop()
  await untilRead(reader, last)
  expect(numbersOf(reader)).toEqual(numbersTo(last))
  expect(reader.resets).toEqual([])
  expect(reader.observations.filter(({ kind }) => kind === 'stream.lost').length).toBeGreaterThanOrEqual(1)
})

test('a new process answers an old cursor with exactly what came after it', async () => {
  const first = await startReader()
  for (let n = 1; n <= 3; n++) await insert(n * 10 + 1, n * 10 + 3)
  await untilRead(first, 33)
  const cursors = first.changes().map(({ cursor }) => cursor)
  // Long enough for a reader that confirms what it should not.
  await sleep(100)
  await first.stop()
  await insert(41, 43)

  const second = await startReader()
  await untilRead(second, 43)
  const all = [...first.changes().map(({ row }) => row?.[0]), '41', '42', '43']
  for (const [index, cursor] of cursors.entries()) {
    expect(second.since(cursor)?.map(({ row }) => row?.[0])).toEqual(all.slice(index + 1))
  }
  expect(second.changes().map(({ cursor }) => cursor)).toEqual([
    ...cursors,
    ...second.since(cursors.at(-1)!)!.map(({ cursor }) => cursor),
  ])
  expect(second.since(second.latest())).toEqual([])
})

test('a cursor from before the window, from nowhere or from the future gets no answer', async () => {
  const reader = await startReader({ limits: { window: 200 } })
  await insert(1)
  await untilRead(reader, 1)
  const early = reader.changes()[0]!.cursor
  expect(reader.since(early)).toEqual([])
  await insert(2)
  await untilRead(reader, 2)
  expect(reader.since(early)).toHaveLength(1)
  while (reader.since(early) !== undefined) await sleep(20)
  expect(reader.since(early)).toBe(undefined)
  expect(reader.since(early.replace('.000001', '.000009'))).toBe(undefined)
  expect(reader.since('ffffffffffffffff.000000')).toBe(undefined)
  expect(reader.since("' or 1")).toBe(undefined)
  expect(reader.since(reader.latest())).toEqual([])
})

test('what is in the window is not confirmed, and an idle publication lets the log go', async () => {
  const reader = await startReader({ limits: { window: 60_000 } })
  const before = await slotRow()
  await insert(1)
  await untilRead(reader, 1)
  await sleep(100)
  expect((await slotRow())?.confirmed).toBe(before?.confirmed)
  await reader.stop()

  const brief = await startReader({ limits: { window: 100 } })
  await database.run('insert into other select generate_series(1, 1000)')
  for (;;) {
    const slot = await slotRow()
    if (slot!.behind < 10_000) break
    await sleep(20)
  }
  expect(numbersOf(brief)).toEqual(['1'])
})

test('while one reads the others stand by, and one of them takes over', async () => {
  const first = await startReader()
  const second = await startReader()
  expect([first.state(), second.state(), second.since(first.latest())]).toEqual(['reading', 'standby', undefined])
  const writer = writeNumbers(database)
  await writer.more(20)
  await untilRead(first, 10)
  await first.stop()
  await second.until(() => second.state() === 'reading')
  const last = await writer.stop()
  await untilRead(second, last)
  expect(numbersOf(second)).toEqual(numbersTo(last))
  expect(second.since(first.changes()[4]!.cursor)?.map(({ row }) => row?.[0])).toEqual(numbersTo(last).slice(5))
})

test('readers that lose the slot to each other each tell a whole log', async () => {
  const pair = [await startReader(), await startReader()]
  const writer = writeNumbers(database)
  for (let round = 0; round < 8; round++) {
    await writer.more(30)
    await terminateReaders()
  }
  const last = await writer.stop()
  const active = await Promise.race(pair.map((reader) => untilRead(reader, last).then(() => reader)))
  expect(numbersOf(active)).toEqual(numbersTo(last))
  for (const reader of pair) expect(numbersOf(reader)).toEqual(numbersTo(last).slice(0, numbersOf(reader).length))
  expect(pair.flatMap(({ resets }) => resets)).toEqual([])
})

test('a reader is told to begin anew when another has let the slot forget what it did not read', async () => {
  const first = await startReader()
  const writer = await startReader({ limits: { window: 50 } })
  await insert(1)
  await untilRead(first, 1)
  // The second wins the slot, reads on and confirms; then the first gets it back.
  while (writer.state() !== 'reading') {
    await terminateReaders()
    await sleep(50)
  }
  await insert(2)
  await untilRead(writer, 2)
  while ((await slotRow())!.behind > 0 && writer.since(writer.changes().at(-2)!.cursor) !== undefined) {
    await sleep(20)
  }
  await writer.stop()
  await first.until(() => first.state() === 'reading')
  expect(first.resets).toMatchObject([{ reason: expect.stringContaining('another reader'), tables: undefined }])
})

test('a slot that is gone is made anew, and everybody is told', async () => {
  const reader = await startReader()
  await insert(1)
  await untilRead(reader, 1)
  const { cursor } = reader.changes()[0]!
  const { name } = (await slotRow())!
  expect(name).toMatch(/^pando_changes_\d+$/)
  for (;;) {
    await terminateReaders()
    const dropped = await database.query('select pg_drop_replication_slot($1)', [name]).catch(() => undefined)
    if (dropped !== undefined) break
  }
  await reader.until(() => reader.resets.length > 0 && reader.state() === 'reading')
  expect(reader.resets).toMatchObject([{ reason: expect.stringContaining('slot') }])
  expect(reader.since(cursor)).toBe(undefined)
  await insert(2)
  await untilRead(reader, 2)
  expect(numbersOf(reader)).toEqual(['1', '2'])
})

test('a transaction that is too large is told as a reset of its tables, and the log goes on', async () => {
  await database.run('create table wide (id int primary key, body text); alter publication feed add table wide')
  const reader = await startReader({ limits: { transactionBytesMax: 1024 ** 2 } })
  await insert(1)
  await untilRead(reader, 1)
  const { cursor } = reader.changes()[0]!
  await database.run("insert into wide select n, repeat('x', 500) from generate_series(1, 5000) as n")
  await reader.until(() => reader.resets.length === 1)
  await database.run(
    "begin; insert into wide values (0, repeat('x', 3000000)); insert into numbers values (100); commit; insert into numbers values (2)",
  )
  await untilRead(reader, 2)
  expect(reader.resets.map(({ tables }) => tables)).toEqual([['wide'], ['wide', 'numbers']])
  expect(numbersOf(reader)).toEqual(['1', '2'])
  expect(reader.since(cursor)).toBe(undefined)
  expect(reader.since(reader.latest())).toEqual([])
})

test('publications may come later, go and return', async () => {
  const reader = newReader({ publications: ['feed', 'late'] })
  await database.run('drop publication feed')
  await reader.start()
  expect(reader.state()).toBe('starting')
  expect(reader.observations).toContainEqual({ kind: 'publications.missing', names: ['feed', 'late'] })
  await database.run('create publication feed for table numbers')
  await reader.until(() => reader.state() === 'reading')
  await insert(1)
  await untilRead(reader, 1)
  await database.run('create publication late for table other')
  await reader.until(() => reader.resets.length === 1 && reader.state() === 'reading')
  await database.run('insert into other values (7)')
  await untilRead(reader, 7)
  await database.run('drop publication feed')
  await reader.until(() => reader.resets.length === 2 && reader.state() === 'reading')
  await insert(2)
  await database.run('insert into other values (8)')
  await untilRead(reader, 8)
  expect(numbersOf(reader)).toEqual(['1', '7', '8'])
})

test('a slot of somebody else is left alone', async () => {
  await database.query('select pg_create_physical_replication_slot($1)', [`${database.name}_taken`])
  const reader = await startReader({ limits: { slot: `${database.name}_taken` } })
  expect(reader.state()).toBe('starting')
  expect(reader.observations).toContainEqual(
    expect.objectContaining({
      kind: 'stream.lost',
      cause: expect.objectContaining({ message: expect.stringContaining('set another name') }),
    }),
  )
  await reader.stop()
  await database.query('select pg_drop_replication_slot($1)', [`${database.name}_taken`])
})

test('a listener that throws harms nobody else', async () => {
  const reader = newReader()
  reader.subscribe({
    onTransaction: () => {
      throw new Error('careless')
    },
    onReset: () => undefined,
  })
  reader.whenReached(undefined, () => {
    throw new Error('careless')
  })
  await reader.start()
  const heard: unknown[] = []
  const unsubscribe = reader.subscribe({
    onTransaction: ({ changes }) => heard.push(...changes.map(({ row }) => row?.[0])),
    onReset: () => undefined,
  })
  await insert(1)
  await untilRead(reader, 1)
  unsubscribe()
  await insert(2)
  await untilRead(reader, 2)
  await reader.stop()
  expect(heard).toEqual(['1'])
  const states = reader.observations.filter((observation) => observation.kind === 'reader.state')
  expect(states.map(({ state }) => state)).toEqual(['reading', 'stopped'])
  // Twice the transaction's, once the one that waited.
  expect(reader.observations.filter(({ kind }) => kind === 'listener.failed')).toHaveLength(3)
})

test('the slot is measured', async () => {
  const reader = await startReader()
  await reader.until(() => reader.observations.some(({ kind }) => kind === 'slot.checked'))
  const checked = reader.observations.find((observation) => observation.kind === 'slot.checked')
  expect(checked).toMatchObject({ retainedBytes: expect.any(Number), windowBytes: 0, windowTransactions: 0 })
})
