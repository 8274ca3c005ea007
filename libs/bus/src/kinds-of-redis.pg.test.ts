import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startRedisCluster } from './testing/start-redis-cluster.ts'
import { startSecureRedis } from './testing/start-secure-redis.ts'
import { createTestBus, until, type TestBus, type TestBusOptions } from './testing/test-bus.ts'

let database: TestDatabase
let buses: TestBus[]
beforeEach(async () => {
  buses = []
  database = await createTestDatabase({ conventions: false })
})
afterEach(() => database.close())
const stopAll = (): Promise<unknown> => Promise.all(buses.map((bus) => bus.stop()))

async function startBus(options: Pick<TestBusOptions, 'redisUrl' | 'redisCa'>): Promise<TestBus> {
  const bus = createTestBus({ url: database.url, ...options })
  buses.push(bus)
  await bus.start()
  return bus
}
/** What each hears that the first one says, by both deliveries. */
async function talk([speaker, ...listeners]: readonly TestBus[]): Promise<string[][]> {
  const heard = listeners.map((): string[] => [])
  for (const [index, bus] of listeners.entries())
    await bus.subscribe('talk', (message) => heard[index]!.push(message.toString())).ready
  for (const delivery of ['may', 'must'] as const) speaker!.publish('talk', Buffer.from(delivery), delivery)
  await until(() => heard.every(({ length }) => length === 2))
  return heard.map((texts) => texts.toSorted())
}
const carriersOf = (bus: TestBus): string[] =>
  bus.observations.flatMap((one) => (one.kind === 'message.sent' ? [one.by] : []))

test('at any node of a cluster what is said at another is heard; without that node it is heard through Postgres', async () => {
  const cluster = await startRedisCluster()
  const trio: TestBus[] = []
  for (const { url } of cluster.nodes) trio.push(await startBus({ redisUrl: url }))
  expect(await talk(trio)).toEqual([
    ['may', 'must'],
    ['may', 'must'],
  ])
  expect(carriersOf(trio[0]!)).toEqual(['redis', 'redis'])
  await cluster.nodes[2]!.kill()
  await until(() => trio[2]!.count('carrier.down') === 1)
  const heard: string[] = []
  await trio[2]!.subscribe('later', (message) => heard.push(message.toString())).ready
  trio[0]!.publish('later', Buffer.from('must'), 'must')
  await until(() => heard.length === 1)
  await stopAll()
  await cluster.stop()
})

test('over TLS it is heard by those who believe the certificate; by others through Postgres', async () => {
  const redis = await startSecureRedis()
  const pair = [
    await startBus({ redisUrl: redis.url, redisCa: redis.ca }),
    await startBus({ redisUrl: redis.url, redisCa: redis.ca }),
  ]
  expect(await talk(pair)).toEqual([['may', 'must']])
  expect(carriersOf(pair[0]!)).toEqual(['redis', 'redis'])
  const careful = await startBus({ redisUrl: redis.url })
  const down = careful.observations.find((one) => one.kind === 'carrier.down')
  expect(down).toMatchObject({ carrier: 'redis', cause: { message: expect.stringContaining('self-signed') } })
  const heard: string[] = []
  await careful.subscribe('talk', (message) => heard.push(message.toString())).ready
  pair[0]!.publish('talk', Buffer.from('must'), 'must')
  await until(() => heard.length === 1)
  await stopAll()
  await redis.stop()
})
