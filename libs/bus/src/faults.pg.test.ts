import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase } from '@pando/postgres/database'
import { listen } from '@pando/postgres/listen'
import { createTestDatabase, getCluster, type TestDatabase } from '@pando/postgres/testing/database'
import { freePort } from '@pando/postgres/testing/free-port'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeEnvelope } from './envelope.ts'
import { splitFrame } from './parts.ts'
import { createSeal } from './seal.ts'
import { findFaults, type Said } from './testing/find-faults.ts'
import { startRedis, type TestRedis } from './testing/start-redis.ts'
import { createTestBus, until, type TestBus, type TestBusOptions } from './testing/test-bus.ts'

let database: TestDatabase
let redis: TestRedis
let buses: TestBus[]
beforeEach(async () => {
  buses = []
  database = await createTestDatabase({ conventions: false })
  redis = await startRedis()
})
afterEach(async () => {
  await Promise.all(buses.map((bus) => bus.stop()))
  await redis.stop()
  await database.close()
})

async function startBus(options: Partial<TestBusOptions> = {}): Promise<TestBus> {
  const bus = createTestBus({ url: database.url, redisUrl: redis.url, ...options })
  buses.push(bus)
  await bus.start()
  return bus
}
const startBuses = async (count: number, options: Partial<TestBusOptions> = {}): Promise<TestBus[]> => {
  const started: TestBus[] = []
  for (let n = 0; n < count; n++) started.push(await startBus(options))
  return started
}

/** All talk on two channels and remember what they hear; `stop` says how many each has said on each. */
function talk(speakers: readonly TestBus[], channels = ['left', 'right']) {
  const said: Said[] = []
  for (const bus of speakers) {
    for (const channel of channels) {
      bus.subscribe(channel, (message, from) => said.push({ to: bus.nodeId, from, channel, number: Number(message) }))
    }
  }
  let rounds = 0
  const speaking = setInterval(() => {
    rounds++
    for (const bus of speakers)
      for (const channel of channels) bus.publish(channel, Buffer.from(String(rounds)), 'must')
  }, 1)
  return {
    said,
    rounds: () => rounds,
    /** Ends the talking and waits until each has heard each. */
    stop: async (): Promise<void> => {
      clearInterval(speaking)
      const count = rounds * speakers.length * (speakers.length - 1) * channels.length
      await until(() => said.length >= count)
      // What comes twice comes soon.
      await sleep(300)
    },
  }
}
const terminate = (application: string): Promise<unknown> =>
  database.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and datname = current_database()',
    [application],
  )

test('what must arrive does so once and in order while Redis is killed and comes again', async () => {
  const trio = await startBuses(3)
  const conversation = talk(trio)
  for (let kill = 0; kill < 3; kill++) {
    await sleep(200)
    await redis.kill()
    await until(() => trio.every((bus) => bus.count('carrier.down') === kill + 1))
    await sleep(100)
    await redis.restart()
    await until(() => trio.every((bus) => bus.count('carrier.up') === kill + 3))
  }
  await until(() => conversation.rounds() > 200)
  await conversation.stop()
  const rounds = conversation.rounds()
  expect(findFaults(conversation.said, rounds)).toEqual([])
  // The checker sees what it is there for.
  const [first, second, ...rest] = conversation.said.filter(({ to, from, channel }, _, [one]) => {
    return to === one!.to && from === one!.from && channel === one!.channel
  })
  expect(findFaults([first!, second!, second!, ...rest], rounds)).toEqual([expect.stringContaining('2 came after 2')])
  expect(findFaults([first!, ...rest], rounds)).toEqual([expect.stringContaining('3 came after 1')])
  expect(findFaults([first!, second!, ...rest].slice(0, -1), rounds)).toEqual([expect.stringContaining('ended')])
  // Everybody was told that the others may have been missed.
  for (const bus of trio) expect(bus.events.filter((event) => event === 'gap').length).toBeGreaterThanOrEqual(1)
  expect(trio.flatMap(({ events }) => events.filter((event) => event.startsWith('gone')))).toEqual([])
  expect(
    trio.every((bus) => bus.observations.some((one) => one.kind === 'message.sent' && one.by === 'postgres')),
  ).toBe(true)
})

test('a Redis that no longer answers is done without', async () => {
  const pair = await startBuses(2, { options: { silence: 1000 } })
  const conversation = talk(pair)
  await sleep(100)
  redis.freeze()
  await until(() => pair.every((bus) => bus.count('carrier.down') === 1))
  await sleep(100)
  redis.thaw()
  await until(() => pair.every((bus) => bus.count('carrier.up') === 3))
  await conversation.stop()
  expect(findFaults(conversation.said, conversation.rounds())).toEqual([])
})

test('what must arrive does so once and in order while connections to Postgres are lost', async () => {
  for (const redisUrl of [redis.url, null]) {
    const pair = await startBuses(2, { redisUrl })
    const conversation = talk(pair)
    for (let round = 0; round < 3; round++) {
      await sleep(100)
      await terminate('pando bus')
      await sleep(100)
      await terminate('pando bus sender')
    }
    await until(() => pair.every((bus) => bus.events.includes('gap')))
    await conversation.stop()
    expect(findFaults(conversation.said, conversation.rounds())).toEqual([])
    expect(pair.flatMap(({ events }) => events.filter((event) => event.startsWith('gone')))).toEqual([])
    await Promise.all(pair.map((bus) => bus.stop()))
  }
})

test.each([
  ['with Redis everything goes on', true],
  ['without Redis they talk again when it is back', false],
])('while Postgres is away for longer than the silence nobody is gone; %s', async (_, hasRedis) => {
  const redisUrl = hasRedis ? redis.url : null
  const pair = await startBuses(2, { redisUrl, options: { silence: 1000 } })
  const [a, b] = pair as [TestBus, TestBus]
  const heard: string[] = []
  await b.subscribe('talk', (message) => heard.push(message.toString())).ready
  const cluster = createDatabase({ url: (await getCluster()).url, applicationName: 'test', connectionsMax: 1 })
  await cluster.query(`alter database ${database.name} allow_connections false`)
  await cluster.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database.name])
  await until(() => pair.every((bus) => bus.count('carrier.down') === 1))
  await sleep(1500)
  for (const delivery of ['may', 'must'] as const) a.publish('talk', Buffer.from(`${delivery} meanwhile`), delivery)
  if (hasRedis) await until(() => heard.length === 2)
  await cluster.query(`alter database ${database.name} allow_connections true`)
  await until(() => pair.every((bus) => bus.events.includes('gap')))
  a.publish('talk', Buffer.from('after'), 'must')
  await until(() => heard.includes('after'))
  expect(heard).toEqual([...(hasRedis ? ['may meanwhile'] : []), 'must meanwhile', 'after'])
  expect(pair.flatMap(({ events }) => events.filter((event) => event.startsWith('gone')))).toEqual([])
  await cluster.close()
})

test('with Redis and without it they understand each other', async () => {
  const trio = [await startBus(), await startBus({ redisUrl: null }), await startBus()]
  const conversation = talk(trio)
  await until(() => conversation.rounds() > 100)
  await conversation.stop()
  expect(findFaults(conversation.said, conversation.rounds())).toEqual([])
  // By both ways, so it came twice to those who hear both.
  expect(trio[0]!.count('message.double')).toBeGreaterThan(0)
})

test('two that use different Redises understand each other', async () => {
  const other = await startRedis()
  const pair = [await startBus(), await startBus({ redisUrl: other.url })]
  const conversation = talk(pair)
  await until(() => conversation.rounds() > 100)
  await conversation.stop()
  expect(findFaults(conversation.said, conversation.rounds())).toEqual([])
  await buses.pop()!.stop()
  await other.stop()
})

test('deployments that share a Redis hear nothing of each other', async () => {
  const elsewhere = await createTestDatabase({ conventions: false })
  const stranger = await startBus({ url: elsewhere.url })
  const pair = await startBuses(2)
  const heard: string[] = []
  await stranger.subscribe('talk', (message) => heard.push(message.toString())).ready
  const [a, b] = pair
  const received: string[] = []
  await b!.subscribe('talk', (message) => received.push(message.toString())).ready
  for (const delivery of ['may', 'must'] as const) a!.publish('talk', Buffer.from(delivery), delivery)
  await until(() => received.length === 2)
  await sleep(100)
  expect([heard, stranger.nodes()]).toEqual([[], []])
  await stranger.stop()
  await elsewhere.close()
})

test('without Redis that it should have, a message that may be lost is dropped and counted, and all are told', async () => {
  const [a, b] = await startBuses(2)
  const heard: string[] = []
  await b!.subscribe('talk', (message) => heard.push(message.toString())).ready
  await redis.kill()
  await until(() => a!.count('carrier.down') === 1 && b!.count('carrier.down') === 1)
  a!.publish('talk', Buffer.from('dropped'), 'may')
  expect(a!.observations.at(-1)).toEqual({ kind: 'message.dropped', delivery: 'may', bytes: 7, why: 'away' })
  await redis.restart()
  await until(() => b!.observations.some((one) => one.kind === 'gap' && one.why === 'sender_dropped'))
  await until(() => b!.events.includes('gap'))
  a!.publish('talk', Buffer.from('arrives'), 'may')
  await until(() => heard.length > 0)
  expect(heard).toEqual(['arrives'])
})

test('a Redis that comes only after the start is used, with a gap before it', async () => {
  await redis.kill()
  const pair = await startBuses(2)
  const heard: string[] = []
  await pair[1]!.subscribe('talk', (message) => heard.push(message.toString())).ready
  expect(pair.map((bus) => bus.count('carrier.down'))).toEqual([1, 1])
  await redis.restart()
  await until(() => pair.every((bus) => bus.count('carrier.up') === 2 && bus.events.includes('gap')))
  pair[0]!.publish('talk', Buffer.from('hello'), 'may')
  await until(() => heard.length > 0)
  expect(heard).toEqual(['hello'])
})

test('a channel that is subscribed to while Redis is away is heard when it is back', async () => {
  const [a, b] = await startBuses(2)
  await redis.kill()
  await until(() => b!.count('carrier.down') === 1)
  const heard: string[] = []
  await b!.subscribe('talk', (message) => heard.push(message.toString())).ready
  await redis.restart()
  await until(() => [a!, b!].every((bus) => bus.count('carrier.up') === 3))
  a!.publish('talk', Buffer.from('hello'), 'may')
  await until(() => heard.length > 0)
  expect(heard).toEqual(['hello'])
})

test('a process that is killed is gone after the silence, and one that stops at once', async () => {
  const [a, b, c] = await startBuses(3, { options: { silence: 1000 } })
  const paused = await startBus({ options: { heartbeat: 60_000 } })
  await until(() => a!.events.includes(`gone ${paused.nodeId}`))
  const fate = (nodeId: string) => a!.observations.findLast((one) => one.kind === 'node.gone' && one.nodeId === nodeId)
  expect(fate(paused.nodeId)).toMatchObject({ saidGoodbye: false })
  await until(() => a!.nodes().includes(b!.nodeId) && a!.nodes().includes(c!.nodeId))
  await b!.stop()
  await until(() => a!.events.includes(`gone ${b!.nodeId}`))
  expect(fate(b!.nodeId)).toMatchObject({ saidGoodbye: true })
})

test('what was said before the good-bye arrives before the speaker is gone', async () => {
  const [a, b] = await startBuses(2)
  const events: string[] = []
  await a!.subscribe('talk', (message) => events.push(message.toString())).ready
  a!.watch({ onNode: (_, is) => events.push(is) })
  for (let n = 1; n <= 200; n++) b!.publish('talk', Buffer.from(String(n)), 'must')
  await b!.stop()
  await until(() => events.includes('gone'))
  expect(events).toEqual([...Array.from({ length: 200 }, (_, index) => String(index + 1)), 'gone'])
})

test('what is missing and no longer kept is told as a gap, and the rest goes on', async () => {
  // Too little memory to keep what is sent meanwhile.
  const [a, b] = await startBuses(2, { redisUrl: null, options: { pendingBytesMax: 20_000 } })
  const heard: number[] = []
  await b!.subscribe('talk', (message) => heard.push(message.length)).ready
  for (let n = 1; n <= 50; n++) a!.publish('talk', Buffer.alloc(n === 50 ? 9999 : 4000), 'must')
  await until(() => b!.observations.some((one) => one.kind === 'gap' && one.why === 'too_old'))
  await until(() => heard.includes(9999))
  expect(b!.events).toContain('gap')
})

test('a message that is too large is not sent, and the others are told', async () => {
  const [a, b] = await startBuses(2, { options: { messageBytesMax: 2000 } })
  a!.publish('talk', Buffer.alloc(2001), 'must')
  expect(a!.observations.at(-1)).toEqual({ kind: 'message.dropped', delivery: 'must', bytes: 2001, why: 'too_large' })
  await until(() => b!.events.includes('gap'))
})

test('what others notify on the channel harms nothing, and what goes through it is no text for them', async () => {
  const [a, b] = await startBuses(2, { redisUrl: null })
  const overheard: string[] = []
  const spy = listen({
    url: database.url,
    applicationName: 'spy',
    channels: ['pando_bus'],
    onNotice: (_, text) => overheard.push(text),
    onReconnected: () => undefined,
  })
  await spy.ready
  const stranger = createSeal('another secret', b!.nodeId)
  const forged = encodeEnvelope({
    kind: 'may',
    sender: b!.nodeId,
    number: 1,
    channel: 'talk',
    body: Buffer.from('forged'),
  })
  const texts = [
    '',
    'hello',
    '0123456789abcdef1.0.1.!!',
    `${b!.nodeId}1.0.1.`,
    `${b!.nodeId}1.0.zzzzzz.aaaa`,
    ...[forged, stranger.seal(forged)].flatMap((frame) => splitFrame(frame, b!.nodeId, 1)),
  ]
  const heard: string[] = []
  await a!.subscribe('talk', (message) => heard.push(message.toString())).ready
  for (const text of texts) await database.query('select pg_notify($1, $2)', ['pando_bus', text])
  await until(() => a!.count('message.unreadable') >= texts.length)
  b!.publish('talk', Buffer.from('still here'), 'may')
  await until(() => heard.length > 0)
  // Said once more by somebody who listens; the spy may hear it later than the bus.
  const saidByB = (): string[] => [...new Set(overheard.filter((text) => text.startsWith(b!.nodeId)))]
  while (a!.count('message.double') === 0) {
    for (const text of saidByB()) await database.query('select pg_notify($1, $2)', ['pando_bus', text])
  }
  expect(heard).toEqual(['still here'])
  const bytes = saidByB()
    .map((text) => Buffer.from(text.split('.').at(-1)!, 'base64').toString('latin1'))
    .join()
  expect(bytes).not.toContain('still here')
  await spy.stop()
})

test('a deployment hears nothing of one with another secret', async () => {
  const pair = await startBuses(2, { redisUrl: null, secret: 'another' })
  const alone = await startBus({ redisUrl: null })
  expect(pair[1]!.nodes()).toEqual([pair[0]!.nodeId])
  expect(alone.nodes()).toEqual([])
  await until(() => pair[0]!.count('message.unreadable') > 0 && alone.count('message.unreadable') > 0)
})

test('a role that may do nothing but connect is enough', async () => {
  const own = await createTestDatabase()
  const pair = await startBuses(2, { url: own.urlAs('authenticator') })
  expect(pair[1]!.nodes()).toEqual([pair[0]!.nodeId])
  await until(() => pair.every((bus) => bus.count('carrier.up') === 2))
  await Promise.all(pair.map((bus) => bus.stop()))
  await own.close()
})

test('a listener or watcher that throws harms nobody else', async () => {
  const [a, b] = await startBuses(2)
  const careless = (): never => {
    throw new Error('careless')
  }
  b!.watch({ onNode: careless, onGap: careless })
  await b!.subscribe('talk', careless).ready
  const heard: string[] = []
  await b!.subscribe('talk', (message) => heard.push(message.toString())).ready
  a!.publish('talk', Buffer.from('hello'), 'must')
  await until(() => heard.length === 1)
  expect(b!.count('listener.failed')).toBe(1)
})

test('a server that is not there does not hold up the start, and is used once it is', async () => {
  const lonely = createTestBus({ url: 'postgresql://a:b@127.0.0.1:1/c', redisUrl: redis.url })
  buses.push(lonely)
  await lonely.start()
  expect(lonely.nodes()).toEqual([])
  expect(lonely.count('carrier.down')).toBe(1)
  await lonely.subscribe('talk', () => undefined).ready
})

test('one node of a Redis cluster is enough of an address', async () => {
  const cluster = await startRedis(['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())])
  const pair = await startBuses(2, { redisUrl: cluster.url })
  const heard: string[] = []
  await pair[1]!.subscribe('talk', (message) => heard.push(message.toString())).ready
  pair[0]!.publish('talk', Buffer.from('hello'), 'may')
  await until(() => heard.length > 0)
  expect(heard).toEqual(['hello'])
  await Promise.all(pair.map((bus) => bus.stop()))
  await cluster.stop()
})
