import { startSecureRedis, type SecureTestRedis } from '@pando/bus/testing/start-secure-redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readServerConfig } from './config.ts'
import { startServer, type RunningServer } from './start-server.ts'
import { type Api, startApi } from './testing/start-api.ts'

/** Two nodes and a door in front of the second, all of which count in one Redis over TLS. */
let redis: SecureTestRedis
let one: Api
let other: Api
let door: RunningServer

const isLong = { timeout: 20_000, interval: 50 }
const toPolicy = (name: string, quota: number) => ({ name, per: 'all', quota, window: '1h', path: `/rest/v1/${name}` })

beforeAll(async () => {
  redis = await startSecureRedis()
  const environment = {
    PANDO_REDIS_URL: redis.url,
    PANDO_REDIS_CA: redis.caFile,
    PANDO_RATE_LIMITS_POLICIES: JSON.stringify([toPolicy('shared', 6), toPolicy('passed', 4), toPolicy('alone', 8)]),
    // A busy machine answers late.
    PANDO_RATE_LIMITS_REDIS_TIMEOUT: '10s',
    PANDO_BUS_HEARTBEAT: '100ms',
    PANDO_GATEWAY_METRICS_PUBLIC: 'true',
    PANDO_HTTP_TRUST_PROXY: 'loopback',
    PANDO_LOG_LEVEL: 'silent',
  }
  const sql = 'create table shared (); create table passed (); create table alone ()'
  one = await startApi({ sql, environment })
  other = await startApi({ beside: one, environment })
  const ofDoor = {
    PANDO_SERVER_SERVICES: 'gateway',
    PANDO_GATEWAY_UPSTREAMS: `rest=${other.url}`,
    PANDO_SERVER_PORT: '0',
  }
  const config = readServerConfig({
    environment: { ...environment, ...ofDoor, PANDO_JWT_SECRET: one.keys.jwtSecret },
  })
  door = await startServer(config, { services: {} })
})
afterAll(async () => {
  await door?.stop()
  await other?.stop()
  await one?.stop()
  await redis?.stop()
})

async function readMetric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}
async function ask(urls: readonly string[], table: string, count: number): Promise<number[]> {
  const headers = { apikey: one.keys.anonKey }
  const answers: Response[] = []
  for (let index = 0; index < count; index += 1)
    answers.push(await fetch(`${urls[index % urls.length]}/rest/v1/${table}`, { headers }))
  for (const { headers } of answers)
    expect([headers.get('ratelimit-policy'), headers.get('ratelimit')]).toEqual([
      expect.stringMatching(`^"${table}";q=\\d+;w=3600$`),
      expect.stringMatching(`^"${table}";r=\\d+;t=\\d+$`),
    ])
  return answers.map(({ status }) => status)
}
const times = (count: number, status: number): number[] => Array.from({ length: count }, () => status)

test('two nodes have one bucket: the quota is that of both together', async () => {
  for (const { url } of [one, other, door])
    await expect.poll(() => readMetric(url, 'rate_limits_nodes'), isLong).toBe(3)
  for (const { url } of [one, other, door])
    await expect.poll(() => readMetric(url, 'rate_limits_nodes'), isLong).toBe(3)
  expect(await ask([one.url, other.url], 'shared', 8)).toEqual([...times(6, 200), ...times(2, 429)])
})

test('a request that passes the door of one node and is answered by another is counted once', async () => {
  expect(await ask([door.url], 'passed', 6)).toEqual([...times(4, 200), ...times(2, 429)])
})

test('without Redis each node lets its share pass, and none waits; when Redis is back they count together again', async () => {
  await redis.kill()
  for (const { url } of [one, other]) {
    const statuses = await ask([url], 'alone', 4)
    expect(statuses).toEqual([...times(2, 200), ...times(2, 429)])
    expect(await readMetric(url, 'rate_limits_counted_alone_total')).toBeGreaterThanOrEqual(4)
  }
  await redis.restart()
  const isShared = async (url: string): Promise<boolean> => {
    const before = await readMetric(url, 'rate_limits_counted_alone_total')
    await ask([url], 'shared', 1)
    return (await readMetric(url, 'rate_limits_counted_alone_total')) === before
  }
  for (const { url } of [one, other]) await expect.poll(() => isShared(url), isLong).toBe(true)
  expect(await ask([one.url, other.url], 'alone', 10)).toEqual([...times(8, 200), ...times(2, 429)])
})
