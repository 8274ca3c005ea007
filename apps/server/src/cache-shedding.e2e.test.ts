import { createDatabase } from '@pando/postgres/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { patiently, quickCache } from './testing/quick-cache.ts'
import { type Api, type Asked, startApi } from './testing/start-api.ts'

const sql = `
  create table posts (id int primary key, title text);
  create table notes (id int primary key, owner uuid default auth.uid(), text text);
  alter table notes enable row level security;
  create policy own on notes for all to authenticated using (owner = auth.uid());
  create function hold() returns int language sql volatile as 'select 1 from (select pg_advisory_xact_lock(7)) as held';
  insert into posts values (1, 'one');
  create publication pando_cache for table posts, notes;
`
/** One place, and nobody waits for it. */
const crowded = {
  PANDO_ADMISSION_LIMIT_INITIAL: '1',
  PANDO_ADMISSION_LIMIT_MIN: '1',
  PANDO_ADMISSION_LIMIT_MAX: '1',
  PANDO_ADMISSION_QUEUE_MAX: '0',
  PANDO_ADMISSION_SLOW: '1h',
  PANDO_HTTP_REQUEST_TIMEOUT: '5m',
  ...quickCache,
}
const ann = '10000000-0000-4000-8000-00000000000a'
const ben = '10000000-0000-4000-8000-00000000000b'

const told = { PANDO_CACHE_STALE_WHILE_SHEDDING: '5m' }

/** Alone: when another node comes, its callers may have written what is not known here, and for a moment nothing is given. */
let generous: Api
beforeAll(async () => {
  generous = await startApi({ sql, environment: { ...crowded, ...told } })
})
afterAll(() => generous?.stop())

/** Nobody takes the account for a new one. */
async function as(sub: string): Promise<Asked> {
  const iat = Math.floor(Date.now() / 1000) - 3_000
  const token = await generous.sign({ sub, iat, exp: iat + 6_000 })
  return { headers: { authorization: `Bearer ${token}` } }
}

/** While `work` runs, the one place of a node is taken. */
async function whileCrowded(api: Api, work: () => Promise<void>): Promise<void> {
  const holder = createDatabase({ url: api.database.urlAs('postgres'), applicationName: 'test', connectionsMax: 2 })
  await holder.withClient(async (client) => {
    await client.query('select pg_advisory_lock(7)')
    // By somebody whose writes nobody else has to see.
    const held = api.ask('/rpc/hold', { headers: { apikey: api.keys.secretKey }, method: 'POST', body: {} })
    const waiting = `select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted`
    await expect.poll(async () => (await holder.query<{ n: number }>(waiting))[0]!.n, patiently).toBe(1)
    try {
      await work()
    } finally {
      await client.query('select pg_advisory_unlock(7)')
      await held
    }
  })
  await holder.close()
}

const statusOf = async (api: Api, path: string, asked?: Asked): Promise<[number, string | null]> => {
  const { status, headers } = await api.ask(path, asked)
  return [status, headers.get('cache-status')]
}
const untilKept = async (api: Api, path: string, asked?: Asked): Promise<void> => {
  await expect.poll(() => statusOf(api, path, asked), patiently).toEqual([200, 'pando; hit'])
}

const path = '/posts?select=id,title&order=id'
const refused = [503, null]

test('who would be refused is given what was right a while ago, if the node is told to', async () => {
  await untilKept(generous, path)
  await whileCrowded(generous, async () => {
    expect(await statusOf(generous, path)).toEqual([200, expect.stringMatching('^pando; hit')])
    await generous.database.run(`update posts set title = 'changed'`)
    const stale = [200, expect.stringMatching(/^pando; hit; ttl=-\d+; detail=stale$/)]
    await expect.poll(() => statusOf(generous, path), patiently).toEqual(stale)
    const { headers, body } = await generous.ask(path)
    expect(body).toEqual([{ id: 1, title: 'one' }])
    expect(headers.get('age')).toMatch(/^\d+$/)
    expect(headers.get('cache-control')).toBe('public, no-cache')
    // Only this request, and only of who wants nothing newer.
    expect(await statusOf(generous, `${path}&limit=5`)).toEqual(refused)
    expect(await statusOf(generous, path, { headers: { 'cache-control': 'no-cache' } })).toEqual(refused)
    expect(await statusOf(generous, path, { headers: { 'cache-control': 'max-age=0' } })).toEqual(refused)
  })
})

test('but nobody who has written since, and nobody else than whose answer it was', async () => {
  const [asAnn, asBen] = [await as(ann), await as(ben)]
  for (const asked of [asAnn, asBen]) await untilKept(generous, path, asked)
  await untilKept(generous, '/notes?select=text', asBen)
  const written = await generous.ask('/posts', { ...asAnn, body: { id: 2, title: 'two' } })
  expect(written.status).toBe(201)
  await whileCrowded(generous, async () => {
    await expect.poll(async () => (await statusOf(generous, path, asBen))[1], patiently).toMatch('stale')
    expect(await statusOf(generous, path, asAnn)).toEqual(refused)
    const commit = written.headers.get('pando-commit')!
    expect(await statusOf(generous, path, { headers: { ...asBen.headers, 'pando-commit': commit } })).toEqual(refused)
    expect(await statusOf(generous, '/notes?select=text', asBen)).toEqual([200, expect.stringMatching('^pando; hit')])
    expect(await statusOf(generous, '/notes?select=text', asAnn)).toEqual(refused)
    expect(await statusOf(generous, path, { headers: { authorization: 'Bearer none' } })).toEqual(refused)
  })
})

test.each([
  ['is not told to', {}],
  ['asks everybody for a key', { ...told, PANDO_GATEWAY_API_KEY_REQUIRED: 'true' }],
])('nor anybody by a node that %s', async (_, environment) => {
  const strict = await startApi({ beside: generous, environment: { ...crowded, ...environment } })
  await untilKept(strict, path)
  await whileCrowded(strict, async () => expect(await statusOf(strict, path)).toEqual(refused))
  await strict.stop()
})
