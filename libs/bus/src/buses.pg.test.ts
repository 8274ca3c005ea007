import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startRedis, type TestRedis } from './testing/start-redis.ts'
import { createTestBus, until, type TestBus, type TestBusOptions } from './testing/test-bus.ts'

let database: TestDatabase
let redis: TestRedis
let buses: TestBus[]
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  buses = []
  database = await createTestDatabase({ conventions: false })
})
afterEach(async () => {
  await Promise.all(buses.map((bus) => bus.stop()))
  await database.close()
})

async function startBus(options: Partial<TestBusOptions> = {}): Promise<TestBus> {
  const bus = createTestBus({ url: database.url, ...options })
  buses.push(bus)
  await bus.start()
  return bus
}
async function listenTo(bus: TestBus, channel: string) {
  const heard: string[] = []
  const subscription = bus.subscribe(channel, (message, from) => heard.push(`${from} ${message.toString()}`))
  await subscription.ready
  return { heard, end: subscription.end }
}
const numbers = (from: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${from} ${index + 1}`)
const say = (bus: TestBus, channel: string, text: string, delivery: 'must' | 'may' = 'must'): void =>
  bus.publish(channel, Buffer.from(text), delivery)

describe.each([
  ['through Postgres', () => null],
  ['through Redis', () => redis.url],
])('%s', (_name, redisUrl) => {
  const start = (options: Partial<TestBusOptions> = {}) => startBus({ redisUrl: redisUrl(), ...options })

  test('who starts knows the others, and they know it', async () => {
    const first = await start()
    expect(first.nodes()).toEqual([])
    const second = await start()
    expect(second.nodes()).toEqual([first.nodeId])
    expect(first.nodes()).toEqual([second.nodeId])
    const third = await start()
    expect(third.nodes().toSorted()).toEqual([first.nodeId, second.nodeId].toSorted())
    expect(first.events).toEqual([`here ${second.nodeId}`, `here ${third.nodeId}`])
    await second.stop()
    await until(() => first.nodes().length === 1)
    expect(first.events.at(-1)).toBe(`gone ${second.nodeId}`)
  })

  test.each(['must', 'may'] as const)('what one says (%s) the others hear who listen, in order', async (delivery) => {
    const [a, b, c] = [await start(), await start(), await start()]
    const [inA, inB, inC, elsewhere] = await Promise.all([
      listenTo(a!, 'talk'),
      listenTo(b!, 'talk'),
      listenTo(c!, 'talk'),
      listenTo(c!, 'other'),
    ])
    for (let n = 1; n <= 500; n++) {
      say(a!, 'talk', String(n), delivery)
      say(b!, 'talk', String(n), delivery)
    }
    await until(() => inC.heard.length >= 1000 && inB.heard.length >= 500 && inA.heard.length >= 500)
    expect(inA.heard).toEqual(numbers(b!.nodeId, 500))
    expect(inB.heard).toEqual(numbers(a!.nodeId, 500))
    expect(inC.heard.filter((text) => text.startsWith(a!.nodeId))).toEqual(numbers(a!.nodeId, 500))
    expect(inC.heard.filter((text) => text.startsWith(b!.nodeId))).toEqual(numbers(b!.nodeId, 500))
    expect(elsewhere.heard).toEqual([])
    inC.end()
    say(a!, 'talk', 'last', delivery)
    await until(() => inB.heard.length === 501)
    expect(inC.heard).toHaveLength(1000)
  })

  test('large messages arrive as they were, between small ones', async () => {
    const [a, b] = [await start(), await start()]
    const heard: Buffer[] = []
    await b!.subscribe('bytes', (message) => heard.push(Buffer.from(message))).ready
    const sizes = [0, 1, 5900, 5940, 5941, 8000, 100_000, 3, 5_000_000, 2]
    const sent = sizes.map((size, index) => Buffer.alloc(size, index + 1))
    for (const bytes of sent) a!.publish('bytes', bytes, 'must')
    await until(() => heard.length === sizes.length)
    expect(heard.map((bytes, index) => bytes.equals(sent[index]!))).toEqual(sizes.map(() => true))
  })
})

test('who is alone sends nothing but that it lives', async () => {
  const bus = await startBus({ redisUrl: redis.url })
  for (let n = 0; n < 10; n++) say(bus, 'talk', 'hello')
  expect(bus.count('message.sent')).toBe(0)
})
