import { startRedis, type TestRedis } from '@pando/bus/testing/start-redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPhoenix, type Phoenix } from './testing/phoenix.ts'
import { type Api, startApi } from './testing/start-api.ts'

/** Two nodes that talk through Redis. */
let redis: TestRedis
let one: Api
let other: Api

beforeAll(async () => {
  redis = await startRedis()
  const environment = { PANDO_REDIS_URL: redis.url, PANDO_BUS_HEARTBEAT: '100ms', PANDO_BUS_SILENCE: '3s' }
  one = await startApi({ sql: '', environment })
  other = await startApi({ beside: one, environment })
})

afterAll(async () => {
  await other?.stop()
  await one?.stop()
  await redis?.stop()
})

const topic = 'realtime:square'

async function enter(api: Api, key: string): Promise<Phoenix> {
  const phone = await openPhoenix(api.url, { apikey: api.keys.anonKey })
  expect(await phone.join('square', { presence: { key, enabled: true } })).toMatchObject({ status: 'ok' })
  return phone
}

const track = (phone: Phoenix, mood: string) => phone.ask(topic, 'presence', { event: 'track', payload: { mood } })

/** Everything about presences that a phone was told. */
const toldOf = ({ heard }: Phoenix): string =>
  JSON.stringify(heard.filter(({ event }) => event.startsWith('presence_')).map(({ payload }) => payload))

const numbersOf = ({ heard }: Phoenix): unknown[] =>
  heard.filter(({ event }) => event === 'broadcast').map(({ payload }) => payload['event'])

const isLong = { timeout: 20_000 }

test('what is sent on one node is heard on the other; presence goes on while Redis is away, and all is well when it is back', async () => {
  const [ann, ben] = [await enter(one, 'ann'), await enter(other, 'ben')]
  ann.tell(topic, 'broadcast', { event: 'first', payload: {}, type: 'broadcast' })
  await track(ann, 'good')
  await expect.poll(() => numbersOf(ben), isLong).toEqual(['first'])
  await expect.poll(() => toldOf(ben), isLong).toContain('good')

  await redis.kill()
  await track(ann, 'worried')
  await expect.poll(() => toldOf(ben), isLong).toContain('worried')
  // Whoever comes now is told of all as well.
  const eve = await enter(other, 'eve')
  await expect.poll(() => toldOf(eve), isLong).toContain('worried')

  await redis.restart()
  let sent = 0
  const say = (): unknown[] => {
    ann.tell(topic, 'broadcast', { event: `after ${(sent += 1)}`, payload: {}, type: 'broadcast' })
    return numbersOf(ben)
  }
  await expect.poll(say, isLong).toContainEqual(expect.stringMatching('after'))
  await track(ann, 'happy')
  await expect.poll(() => toldOf(ben), isLong).toContain('happy')
  expect(toldOf(ben).match(/happy/g)).toHaveLength(1)
  for (const phone of [ann, ben, eve]) phone.close()
})
