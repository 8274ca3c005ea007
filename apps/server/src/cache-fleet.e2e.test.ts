import { startRedis, type TestRedis } from '@pando/bus/testing/start-redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { patiently, quickCache } from './testing/quick-cache.ts'
import { type Api, type Asked, startApi } from './testing/start-api.ts'

const sql = `
  create table posts (id int primary key, title text);
  insert into posts select n, 'as it was' from generate_series(1, 2000) n;
  create publication pando_cache for table posts;`

/** Two nodes that keep answers together; one has no realtime, and follows the log all the same. */
let redis: TestRedis
let one: Api
let other: Api
beforeAll(async () => {
  redis = await startRedis()
  const environment = {
    PANDO_REDIS_URL: redis.url,
    PANDO_BUS_HEARTBEAT: '100ms',
    ...quickCache,
    PANDO_CACHE_SHARED_TIMEOUT: '5s',
  }
  one = await startApi({ sql, environment })
  other = await startApi({ beside: one, environment: { ...environment, PANDO_SERVER_SERVICES: 'rest' } })
})
afterAll(async () => {
  await other?.stop()
  await one?.stop()
  await redis?.stop()
})

const shared = 'pando; hit; detail=shared'

let lastId = 0
/** A row that nobody has asked for: first one node is asked, then the other. */
async function askBoth(): Promise<string | null> {
  const path = `/posts?id=eq.${(lastId += 1)}`
  expect((await one.ask(path)).status).toBe(200)
  const { status, headers } = await other.ask(path)
  expect(status).toBe(200)
  return headers.get('cache-status')
}

test('what one node has read the other one need not', async () => {
  await expect.poll(askBoth, patiently).toBe(shared)
})

test('both are told of changes', async () => {
  await expect.poll(askBoth, patiently).toBe(shared)
  const path = `/posts?select=title&id=eq.${lastId}`
  for (const title of ['changed', 'changed again']) {
    await one.database.run(`update posts set title = '${title}' where id = ${lastId}`)
    for (const node of [one, other]) {
      await expect.poll(async () => (await node.ask(path)).body, patiently).toEqual([{ title }])
    }
  }
})

test('who writes through one node and shows what it answered to the other is shown no less', async () => {
  const asked: Asked = { headers: { authorization: `Bearer ${await one.sign({ sub: 'ann', iat: 1 })}` } }
  const path = '/posts?select=title&id=eq.1'
  const titles: unknown[] = []
  for (let n = 1; n <= 30; n++) {
    const headers = { ...asked.headers }
    const written = await one.ask('/posts?id=eq.1', { method: 'PATCH', headers, body: { title: String(n) } })
    const commit = { ...headers, 'pando-commit': written.headers.get('pando-commit')! }
    titles.push((await other.ask(path, { headers: commit })).body)
    await other.ask(path)
  }
  expect(titles).toEqual(Array.from({ length: 30 }, (_, n) => [{ title: String(n + 1) }]))
})

test('without Redis each node keeps its own, and both keep together again when it is back', async () => {
  await redis.kill()
  const path = `/posts?id=eq.${(lastId += 1)}`
  for (const node of [one, other]) {
    await expect.poll(async () => (await node.ask(path)).headers.get('cache-status'), patiently).toBe('pando; hit')
  }
  expect(await askBoth()).toBe('pando; fwd=miss; stored')
  await redis.restart()
  await expect.poll(askBoth, patiently).toBe(shared)
})
