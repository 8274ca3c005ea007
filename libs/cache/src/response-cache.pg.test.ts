import { createDatabase, type Database } from '@pando/postgres/database'
import { startScratchCluster, type ScratchCluster } from '@pando/postgres/testing/scratch-cluster'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Answered } from './cached-read.ts'
import { type CacheHouse, type CacheHouseOptions, countersSql, openCacheHouse } from './testing/cache-house.ts'
import { findStale, type StaleFound, type StaleRun } from './testing/find-stale.ts'

let cluster: ScratchCluster
let admin: Database
let house: CacheHouse
beforeAll(async () => {
  cluster = await startScratchCluster({ sql: countersSql })
  admin = createDatabase({ url: cluster.url, applicationName: 'test', connectionsMax: 4 })
})
afterEach(() => house.stop())
afterAll(async () => {
  await admin?.close()
  await cluster?.stop()
})

const patiently = { timeout: 20_000, interval: 10 }

const open = async (options: Partial<CacheHouseOptions> = {}): Promise<CacheHouse> =>
  (house = await openCacheHouse({ url: cluster.url, ...options }))

const outcomeOf = async (id: number): Promise<string> => {
  const { use } = await house.read(id)
  if (use === undefined) return 'nothing'
  return use.kind === 'bypass' ? use.reason.code : use.outcome
}
async function untilKept(id: number): Promise<void> {
  await expect.poll(() => outcomeOf(id), patiently).toBe('hit')
}

describe('nobody is shown less than the log has told, or than they wrote', () => {
  const run: StaleRun = { operations: 6_000, workers: 16, random: Math.random }

  test('by many who read and write at once', async () => {
    await open()
    await untilKept(1)
    const found = await findStale(house, run)
    expect([found.stale, found.ownLost]).toEqual([0, 0])
    expect(found.outcomes.get('hit')).toBeGreaterThan(run.operations / 10)
    expect(found.outcomes.get('miss')).toBeGreaterThan(100)
  })

  /** A bug shows sooner or later. */
  async function isFound(countOf: (found: StaleFound) => number): Promise<boolean> {
    await untilKept(1)
    for (let round = 0; round < 20; round++) if (countOf(await findStale(house, run)) > 0) return true
    return false
  }

  test('which a cache does that does not hear of changes: the comparison finds it', async () => {
    await open({ spoil: (reader) => ({ ...reader, subscribe: () => () => {} }) })
    expect(await isFound(({ stale }) => stale)).toBe(true)
  })

  test('which a cache does that believes to have heard all: the comparison finds that too', async () => {
    const ahead = (place: ReturnType<CacheHouse['reader']['place']>) => place && { ...place, lsn: 1n << 62n }
    await open({ spoil: (reader) => ({ ...reader, place: () => ahead(reader.place()) }) })
    expect(await isFound(({ ownLost }) => ownLost)).toBe(true)
  })
})

describe('a commit that is in the log before others can see it', () => {
  const nowInDatabase = async (): Promise<number> =>
    (await admin.query<{ n: number }>('select n from counters where id = 1'))[0]!.n
  const add = (): Promise<unknown> =>
    admin.withClient(async (client) => {
      await client.query('set synchronous_commit = on')
      return client.query('update counters set n = n + 1 where id = 1')
    })

  /** Adds one, which is told and waits for a standby that there is not; the answer lets it go on. */
  async function beginToCommit(): Promise<() => Promise<unknown>> {
    await admin.query("alter system set synchronous_standby_names = 'nobody'")
    await admin.query('select pg_reload_conf()')
    for (;;) {
      const before = await nowInDatabase()
      const told = house.reader.transactions.length
      const writing = add()
      await expect.poll(() => house.reader.transactions.length, patiently).toBeGreaterThan(told)
      const end = async (): Promise<void> => {
        await admin.query('alter system reset synchronous_standby_names')
        await admin.query('select pg_reload_conf()')
        await writing
      }
      if ((await nowInDatabase()) === before) return end
      // The server has not heard of its standby yet.
      await writing
    }
  }

  /** Reads a counter while its change is told and cannot be seen, and afterwards. */
  async function readWhileCommitting(
    prepare = async () => {},
  ): Promise<{ before: number; meanwhile: Answered['use'][]; after: number }> {
    await untilKept(1)
    const end = await beginToCommit()
    const before = await nowInDatabase()
    const meanwhile: Answered['use'][] = []
    try {
      await prepare()
      for (let n = 0; n < 20; n++) {
        const found = await house.read(1)
        expect(found.n).toBe(before)
        meanwhile.push(found.use)
      }
    } finally {
      await end()
    }
    return { before, meanwhile, after: (await house.read(1)).n }
  }

  test('is not taken for seen', async () => {
    await open()
    const { before, meanwhile, after } = await readWhileCommitting()
    for (const use of meanwhile) expect(use).toMatchObject({ outcome: 'miss', isStored: false })
    expect(after).toBe(before + 1)
    await untilKept(1)
    expect((await house.read(1)).n).toBe(before + 1)
  })

  test('would be by a cache that goes by what was told: the comparison finds it', async () => {
    // While it is asked who may see what, nothing kept is used.
    await open({ forge: () => '1000000:1000000:', options: { accessInterval: 600_000 } })
    const { before, after } = await readWhileCommitting(() => {
      // Of writes before the one that waits it has not heard either.
      house.cache.empty('as if nothing had been')
      return untilKept(1)
    })
    expect(after).toBe(before)
  })
})

test('nothing that is kept is used while nobody reads the log', async () => {
  await open()
  await untilKept(1)
  await house.reader.stop()
  expect(await outcomeOf(1)).toBe('log')
  const { n } = await house.add(1)
  expect((await house.read(1)).n).toBe(n)
})

test('what was right a while ago is there for those who would be refused, if it is not too old for them', async () => {
  await open({ options: { staleWhileShedding: 600_000 } })
  await untilKept(1)
  await house.reader.stop()
  const { lsn } = await house.add(1)
  expect(house.stale(1)).toMatchObject({ use: { outcome: 'stale', ageMs: expect.any(Number) } })
  expect(house.stale(2)).toBeUndefined()
  expect(house.stale(1, { needs: lsn })).toBeUndefined()
  const directives = { maxAgeMs: undefined, noCache: false, noStore: false }
  for (const more of [{ noCache: true }, { noStore: true }, { maxAgeMs: 0 }])
    expect(house.stale(1, { directives: { ...directives, ...more } })).toBeUndefined()
  house.cache.empty('for the test')
  expect(house.stale(1)).toBeUndefined()
})

test.each([0, 1])('and at most %i ms old where that is all that is wanted', async (staleWhileShedding) => {
  await open({ options: { staleWhileShedding } })
  await untilKept(1)
  await house.reader.stop()
  await expect.poll(() => house.stale(1), patiently).toBeUndefined()
})

test('what changed while the connection of the log was lost is noticed when it is read on', async () => {
  await open()
  await untilKept(1)
  await admin.query('select pg_terminate_backend(active_pid) from pg_replication_slots where active')
  const { n, lsn } = await house.add(1)
  expect((await house.read(1, { needs: lsn })).n).toBe(n)
  await expect.poll(async () => (await house.read(1)).n, patiently).toBe(n)
  await untilKept(1)
  expect(house.reader.resets).toEqual([])
})

test('nothing that is kept is used when it is not known how far the log is', async () => {
  await open({ options: { lagMax: 100, pulse: 1_000_000 } })
  await expect.poll(() => outcomeOf(1), patiently).toBe('log')
})

test('a change of who may see what lets everything go', async () => {
  await open({ options: { accessInterval: 10 } })
  await untilKept(1)
  await admin.query('create role somebody')
  await expect.poll(() => house.observations.some(({ kind }) => kind === 'emptied'), patiently).toBe(true)
  await untilKept(1)
  await admin.query('drop role somebody')
})

test('a slot that is lost lets everything go', async () => {
  await open()
  await untilKept(1)
  await admin.query('select pg_terminate_backend(active_pid) from pg_replication_slots where active')
  const dropSlot = (): Promise<number> =>
    admin.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active').then(
      () => house.reader.resets.length,
      () => 0,
    )
  await expect.poll(dropSlot, patiently).toBeGreaterThan(0)
  const { n } = await house.add(1)
  expect((await house.read(1)).n).toBe(n)
  await untilKept(1)
})

test('many who ask for the same at once ask Postgres once', async () => {
  await open()
  await untilKept(1)
  house.cache.empty('for the test')
  // What is read is looked up once for all of them too.
  await untilKept(2)
  const answers = await Promise.all(Array.from({ length: 50 }, () => house.read(3)))
  const outcomes = answers.map(({ use }) => (use?.kind === 'kept' ? use.outcome : 'bypass'))
  expect(outcomes.toSorted()).toEqual([...Array.from({ length: 49 }, () => 'collapsed'), 'miss'])
  expect(house.reads.filter((id) => id === 3)).toHaveLength(1)
  expect(await outcomeOf(3)).toBe('hit')
})

test('the answers that are kept take no more memory than they may', async () => {
  await open({ options: { memoryBytesMax: 5_000 } })
  for (let id = 1; id <= 20; id++) await untilKept(id)
  expect(house.cache.size.bytes).toBeLessThanOrEqual(5_000)
  expect(house.cache.size.answers).toBeGreaterThan(1)
})

test('an answer that is too large is not kept', async () => {
  await open({ options: { answerBytesMax: 0 } })
  await expect.poll(() => outcomeOf(1), patiently).toBe('miss')
  for (let n = 0; n < 5; n++) expect((await house.read(1)).use).toMatchObject({ outcome: 'miss', isStored: false })
})
