import { startRedis, type TestRedis } from '@pando/bus/testing/start-redis'
import { startRedisCluster } from '@pando/bus/testing/start-redis-cluster'
import { startSecureRedis } from '@pando/bus/testing/start-secure-redis'
import type { RedisTarget } from '@pando/redis/target'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import type { SharedPage } from './encode-kept.ts'
import type { CacheObservation } from './observation.ts'
import { createSharedStore, type SharedStore } from './shared-store.ts'
import { parseSnapshot } from './snapshot.ts'

const patiently = { timeout: 20_000, interval: 20 }

let ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.reverse()) await end()
  ends = []
})

async function open(
  target: RedisTarget,
  { secret = 'a secret', timeoutMs = 5_000 } = {},
): Promise<SharedStore & { observations: CacheObservation[] }> {
  const observations: CacheObservation[] = []
  const observe = (observation: CacheObservation): void => void observations.push(observation)
  const store = createSharedStore({
    target,
    secret,
    limits: { timeoutMs, ageMsMax: 60_000, pendingMax: 1_000 },
    manners: {
      name: 'test',
      connectMs: 5_000,
      silenceMs: 5_000,
      retryMs: 50,
      retryMsMax: 2_000,
      random: Math.random,
    },
    observe,
  })
  ends.push(store.stop)
  store.start()
  await expect.poll(() => observations.at(-1), patiently).toMatchObject({ kind: 'redis', isUp: true })
  return { ...store, observations }
}

async function start(): Promise<TestRedis> {
  const redis = await startRedis()
  ends.push(redis.stop)
  return redis
}

const snapshot = parseSnapshot('5:7:')!
const page: SharedPage = {
  page: { pageRows: 1, body: '[{"id":1}]' },
  tag: 'a tag',
  snapshot,
  schema: snapshot,
  tables: [10],
  madeAtMs: 1,
  lsn: 5n,
}

test('what one process keeps another one finds, and nobody who has another secret', async () => {
  const redis = await start()
  const [one, other, stranger] = [await open(redis), await open(redis), await open(redis, { secret: 'another secret' })]
  one.set('a key', page)
  await expect.poll(() => other.get('a key'), patiently).toEqual(page)
  expect([await other.get('another key'), await stranger.get('a key')]).toEqual([undefined, undefined])
})

test('while Redis is away nothing is kept, and it is used again when it is back', async () => {
  const redis = await start()
  const store = await open(redis)
  await redis.kill()
  expect(await store.get('a key')).toBeUndefined()
  store.set('a key', page)
  await redis.restart()
  const again = async (): Promise<unknown> => {
    store.set('a key', page)
    return store.get('a key')
  }
  await expect.poll(again, patiently).toEqual(page)
  const states = store.observations.flatMap((each) => (each.kind === 'redis' ? [each.isUp] : []))
  expect(states).toEqual([true, false, true])
})

test('while it is frozen one waits for its answer, and nobody else', async () => {
  const redis = await start()
  const store = await open(redis, { timeoutMs: 100 })
  redis.freeze()
  expect(await store.get('a key')).toBeUndefined()
  // One would wait longer than this test may take.
  for (let n = 0; n < 1_000; n++) expect(await store.get('a key')).toBeUndefined()
  redis.thaw()
  const again = async (): Promise<unknown> => {
    store.set('a key', page)
    return store.get('a key')
  }
  await expect.poll(again, patiently).toEqual(page)
})

test('what somebody else has written there is not taken for an answer', async () => {
  const redis = await start()
  const store = await open(redis)
  store.set('a key', page)
  await expect.poll(() => store.get('a key'), patiently).toEqual(page)
  const intruder = new Redis(redis.url)
  const [name] = await intruder.keys('pando:cache:*')
  await intruder.set(name!, '{"pageRows":1}\nforged')
  await intruder.quit()
  expect(await store.get('a key')).toBeUndefined()
  expect(store.observations.at(-1)).toMatchObject({ kind: 'foreign' })
})

test('a cluster is found from any of its nodes, and holds every key', async () => {
  const { nodes, stop } = await startRedisCluster()
  ends.push(stop)
  const store = await open(nodes[0]!)
  for (let n = 0; n < 20; n++) {
    const again = async (): Promise<unknown> => {
      store.set(`key ${n}`, page)
      return store.get(`key ${n}`)
    }
    await expect.poll(again, patiently).toEqual(page)
  }
})

test('one whose certificate an authority of the operator vouches for is used', async () => {
  const redis = await startSecureRedis()
  ends.push(redis.stop)
  const store = await open(redis)
  store.set('a key', page)
  await expect.poll(() => store.get('a key'), patiently).toEqual(page)
})
