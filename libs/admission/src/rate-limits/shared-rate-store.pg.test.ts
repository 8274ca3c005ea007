import { startRedis, type TestRedis } from '@pando/bus/testing/start-redis'
import { startRedisCluster } from '@pando/bus/testing/start-redis-cluster'
import { systemClock } from '@pando/core/clock'
import { createRedisLink } from '@pando/redis/redis-link'
import * as fc from 'fast-check'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createLocalRateStore } from './local-rate-store.ts'
import type { RateDecision } from './rate-store.ts'
import { createSharedRateStore, type SharedRateLimits, type SharedRateObservation } from './shared-rate-store.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const manners = {
  name: 'test',
  connectMs: 20_000,
  silenceMs: 20_000,
  retryMs: 10,
  retryMsMax: 100,
  random: Math.random,
}
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})
const isLong = { timeout: 20_000, interval: 10 }

/** A node that counts together with those of the same `deployment`. */
async function startStore({
  url = redis.url,
  deployment = randomUUID() as string,
  limits = {} as Partial<SharedRateLimits>,
} = {}) {
  const seen: SharedRateObservation[] = []
  const store = createSharedRateStore({
    target: { url },
    manners,
    local: createLocalRateStore({ clock: systemClock, bucketsMax: 1000 }),
    key: Buffer.from(deployment),
    nodeId: randomUUID(),
    // A busy machine answers late.
    limits: { answerMsMax: 20_000, beatMs: 20, silenceMs: 20_000, ...limits },
    observe: (observation) => seen.push(observation),
  })
  store.start()
  stops.push(store.stop)
  const changes = (): boolean[] => seen.flatMap((one) => (one.kind === 'redis' ? [one.isUp] : []))
  await expect.poll(changes, isLong).toEqual([true])
  return { ...store, changes, alone: () => seen.filter(({ kind }) => kind === 'counted.alone').length }
}
type Store = Awaited<ReturnType<typeof startStore>>

async function startPair(limits: Partial<SharedRateLimits> = {}): Promise<[Store, Store]> {
  const deployment = randomUUID()
  const pair: [Store, Store] = [await startStore({ deployment, limits }), await startStore({ deployment, limits })]
  for (const store of pair) await expect.poll(store.nodes, isLong).toBe(2)
  return pair
}
const hourly = { name: 'hourly', quota: 50, windowMs: 3_600_000 }
const takeMany = async (stores: readonly Store[], count: number, key = 'a'): Promise<RateDecision[]> =>
  Promise.all(Array.from({ length: count }, async (_, index) => stores[index % stores.length]!.take(key, 1, hourly)))
const takenOf = (decisions: readonly RateDecision[]): number => decisions.filter(({ isTaken }) => isTaken).length

describe('a bucket in Redis', () => {
  it('is one for all nodes: exactly its quota can be taken at once, whoever asks', async () => {
    const pair = await startPair()
    const decisions = await takeMany(pair, 200)
    expect(takenOf(decisions)).toBe(50)
    const remaining = decisions.filter(({ isTaken }) => isTaken).map((decision) => decision.remaining)
    expect(remaining.toSorted((a, b) => b - a)).toEqual(Array.from({ length: 50 }, (_, index) => 49 - index))
    expect(decisions.find(({ isTaken }) => !isTaken)).toMatchObject({
      remaining: 0,
      retryMs: expect.closeTo(72_000, -4),
    })
    expect(takenOf(await takeMany(pair, 10, 'another'))).toBe(10)
    expect(pair.map((store) => store.alone())).toEqual([0, 0])
  })

  it('is that of one deployment alone', async () => {
    const [one, other] = [await startStore(), await startStore()]
    expect([takenOf(await takeMany([one], 60)), takenOf(await takeMany([other], 60))]).toEqual([50, 50])
  })

  it('does what the model does, at the moment at which the server counts', async () => {
    const pair = await startPair()
    const link = createRedisLink({ target: { url: redis.url }, manners, onChange: () => undefined })
    link.start()
    stops.push(link.stop)
    await expect.poll(() => link.client, isLong).toBeDefined()
    const now = async (): Promise<number> => {
      const [seconds, micros] = await link.client!.time()
      return Number(seconds) * 1000 + Number(micros) / 1000
    }
    const steps = fc.array(
      fc.record({ node: fc.nat(1), cost: fc.integer({ min: 1, max: 4 }), pauseMs: fc.constantFrom(0, 0, 0, 2, 9) }),
      { maxLength: 40 },
    )
    const policies = fc.record({ quota: fc.integer({ min: 4, max: 20 }), windowMs: fc.integer({ min: 10, max: 200 }) })
    const property = fc.asyncProperty(steps, policies, async (all, policy) => {
      const [key, tokenMs] = [randomUUID(), policy.windowMs / policy.quota]
      // When the bucket is full again: between the two, as the moment of a step is between two readings of the clock.
      let [earliest, latest] = [0, 0]
      for (const { node, cost, pauseMs } of all) {
        if (pauseMs > 0) await sleep(pauseMs)
        const before = await now()
        const { isTaken } = await pair[node]!.take(key, cost, { name: 'model', ...policy })
        const after = await now()
        const spare = policy.windowMs - cost * tokenMs
        const [least, most] = [Math.max(0, earliest - after), Math.max(0, latest - before)]
        expect(isTaken ? least <= spare + 0.01 : most > spare - 0.01).toBe(true)
        if (isTaken)
          [earliest, latest] = [Math.max(earliest, before) + cost * tokenMs, Math.max(latest, after) + cost * tokenMs]
      }
    })
    await fc.assert(property, { numRuns: 30 })
    expect(pair.map((store) => store.alone())).toEqual([0, 0])
  })

  it('is done without while Redis is away, with a fair share for each node, and used again when it is back', async () => {
    const own = await startRedis()
    const deployment = randomUUID()
    const pair = [
      await startStore({ url: own.url, deployment }),
      await startStore({ url: own.url, deployment }),
    ] as const
    for (const store of pair) await expect.poll(store.nodes, isLong).toBe(2)
    expect(takenOf(await takeMany(pair, 10))).toBe(10)
    await own.kill()
    const alone = await Promise.all(pair.map((store) => takeMany([store], 60)))
    expect(alone.map(takenOf)).toEqual([25, 25])
    await own.restart()
    for (const store of pair) await expect.poll(() => store.changes().at(-1), isLong).toBe(true)
    expect(takenOf(await takeMany(pair, 200))).toBe(50)
    await Promise.all(stops.splice(0).map((stop) => stop()))
    await own.stop()
  })

  it('is not waited for longer than is allowed when Redis is silent', async () => {
    const own = await startRedis()
    const store = await startStore({ url: own.url, limits: { answerMsMax: 300 } })
    own.freeze()
    expect(takenOf(await takeMany([store], 60))).toBe(50)
    expect(store.alone()).toBe(60)
    own.thaw()
    const isShared = async (): Promise<boolean> => {
      const before = store.alone()
      await store.take('b', 1, hourly)
      return store.alone() === before
    }
    await expect.poll(isShared, isLong).toBe(true)
    await Promise.all(stops.splice(0).map((stop) => stop()))
    await own.stop()
  })

  it('is on its node of a cluster, of which any node is an address; what is on one that is away is counted alone', async () => {
    const cluster = await startRedisCluster()
    const deployment = randomUUID()
    const pair = await Promise.all(
      cluster.nodes.slice(0, 2).map(({ url }) => startStore({ url, deployment, limits: { answerMsMax: 3000 } })),
    )
    const keys = Array.from({ length: 30 }, (_, index) => `key ${index}`)
    const each = await Promise.all(keys.map((key) => takeMany(pair, 60, key)))
    expect(each.map(takenOf)).toEqual(keys.map(() => 50))
    expect(pair.map((store) => store.alone())).toEqual([0, 0])
    await cluster.nodes[2]!.kill()
    const decisions = await Promise.all(keys.map((key) => pair[0]!.take(key, 1, hourly)))
    // Those of the others are still empty.
    expect(takenOf(decisions)).toBe(pair[0]!.alone())
    expect(takenOf(decisions)).toBeGreaterThan(0)
    expect(takenOf(decisions)).toBeLessThan(keys.length)
    await Promise.all(stops.splice(0).map((stop) => stop()))
    await cluster.stop()
  }, 60_000)
})
