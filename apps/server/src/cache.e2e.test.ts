import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { patiently, quickCache } from './testing/quick-cache.ts'
import { type Api, type Asked, startApi } from './testing/start-api.ts'

const sql = `
  create table authors (id int primary key, name text);
  create table posts (id int primary key, author_id int references authors, title text, owner uuid, is_public boolean);
  create table private_notes (id int primary key, text text);
  create table members (post_id int, person uuid, primary key (post_id, person));
  create table secrets (id int primary key, person uuid);
  create function may_see(id int) returns boolean language sql stable as 'select exists (select from secrets)';
  create table rooms (id int primary key);
  create table doors (id int primary key);
  create table timed (id int primary key, until timestamptz);
  create table pages (id int primary key, short text, long text);
  create view titles with (security_invoker) as select title from posts;
  insert into authors values (1, 'ann'), (2, 'ben');
  insert into posts values (1, 1, 'one', null, true), (2, 2, 'two', null, true);
  insert into private_notes values (1, 'mine');
  insert into pages select n, repeat(md5(n::text), 100), repeat(md5(n::text), 1000) from generate_series(1, 200) n;
  alter table posts enable row level security;
  alter table rooms enable row level security;
  alter table doors enable row level security;
  alter table timed enable row level security;
  create policy reading on posts for select using (
    is_public or owner = (select auth.uid())
    or exists (select from members m where m.post_id = posts.id and m.person = (select auth.uid()))
  );
  create policy writing on posts for all to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
  create policy secret on rooms for select using (exists (select from secrets s where s.id = rooms.id));
  create policy opaque on doors for select using (may_see(id));
  create policy timely on timed for select using (until > now());
  create publication pando_cache for table posts, authors, members, pages, rooms, doors, timed;
`

let api: Api
beforeAll(async () => {
  api = await startApi({ sql, environment: { ...quickCache, PANDO_GATEWAY_METRICS_PUBLIC: 'true' } })
})
afterAll(() => api?.stop())

const statusOf = ({ headers }: { headers: Headers }): string | null => headers.get('cache-status')
const hit = 'pando; hit'

/** Asks until the answer is one that was kept. */
async function untilKept(path: string, asked?: Asked) {
  await expect.poll(async () => statusOf(await api.ask(path, asked)), patiently).toBe(hit)
  return api.ask(path, asked)
}

const ann = '10000000-0000-4000-8000-00000000000a'
const ben = '10000000-0000-4000-8000-00000000000b'
/** Long enough ago that nobody takes the account for a new one. */
const as = async (sub: string, more: object = {}): Promise<Asked> => {
  const iat = Math.floor(Date.now() / 1000) - 600
  return { headers: { authorization: `Bearer ${await api.sign({ sub, iat, exp: iat + 3600, ...more })}` } }
}

describe('a read of a table of the publication', () => {
  const path = '/posts?select=id,title,authors(name)&order=id'

  test('is kept, with its embedded rows, and looks as when it was read', async () => {
    const first = await api.ask(path)
    const kept = await untilKept(path)
    expect(kept.text).toBe(first.text)
    for (const name of ['content-range', 'content-location', 'content-type', 'etag', 'cache-control', 'vary']) {
      expect(kept.headers.get(name)).toBe(first.headers.get(name))
    }
    expect(kept.headers.get('age')).toMatch(/^\d$/)
  })

  test('is 304 for whoever has it', async () => {
    const { headers } = await untilKept(path)
    const again = await api.ask(path, { headers: { 'if-none-match': headers.get('etag')! } })
    expect(again).toMatchObject({ status: 304, text: '' })
    expect(again.headers.get('etag')).toBe(headers.get('etag'))
    expect(again.headers.get('content-type')).toBeNull()
    expect((await api.ask(path, { headers: { 'if-none-match': '"another"' } })).status).toBe(200)
  })

  test.each([
    ['insert', `insert into posts values (3, 1, 'three', null, true)`],
    ['update', `update posts set title = 'changed' where id = 3`],
    ['update of an embedded row', `update authors set name = 'anna' where id = 1`],
    ['delete', 'delete from posts where id = 3'],
    [
      'transaction with savepoints',
      `begin; savepoint a; insert into posts values (4, 1, 'four', null, true); release a; commit`,
    ],
    ['truncate', 'truncate posts'],
  ])('is another after an %s', async (_, change) => {
    const before = await untilKept(path)
    await api.database.run(change)
    await expect.poll(async () => (await api.ask(path)).text, patiently).not.toBe(before.text)
    const [{ found }] = (await api.database.query(
      `select coalesce(json_agg(title order by id), '[]') as found from posts`,
    )) as [{ found: string[] }]
    expect(((await untilKept(path)).body as { title: string }[]).map(({ title }) => title)).toEqual(found)
  })

  test('goes on as it was when what was changed is no part of it', async () => {
    await untilKept('/authors?select=name')
    const before = await api.ask('/authors?select=name')
    await api.database.run(`insert into posts values (1, 1, 'one', null, true), (2, 2, 'two', null, true)`)
    await expect.poll(async () => ((await api.ask('/posts?select=id')).body as []).length, patiently).toBe(2)
    const after = await api.ask('/authors?select=name')
    expect([statusOf(after), after.text]).toEqual([hit, before.text])
  })

  test.each(['short', 'long'])('is compressed once for those who accept it, which counts: a %s one', async (column) => {
    const countBytes = async (): Promise<number> => {
      const metrics = await fetch(`${api.url}/metrics`)
      return Number(/^cache_bytes (\d+)$/m.exec(await metrics.text())![1])
    }
    const accepting = (coding: string): Asked => ({ headers: { 'accept-encoding': coding } })
    let id = 0
    /** A page that nobody has asked for. */
    const askForNext = async () => {
      const page = `/pages?select=${column}&id=eq.${(id += 1)}`
      const { text } = await api.ask(page, accepting('identity'))
      const before = await countBytes()
      const answers = [1, 2, 3].map(() => api.ask(page, accepting('gzip')))
      const found = (await Promise.all(answers)).map((one) => [statusOf(one), one.headers.get('content-encoding')])
      expect((await api.ask(page, accepting('gzip'))).text).toBe(text)
      return { found, more: (await countBytes()) - before - gzipSync(text, { level: 4 }).length }
    }
    const found = [1, 2, 3].map(() => [hit, 'gzip'])
    await expect.poll(askForNext, patiently).toEqual({ found, more: 0 })
  })

  test('is read anew, or not kept, when the request wants it so', async () => {
    await untilKept(path)
    const anew = await api.ask(path, { headers: { 'cache-control': 'no-cache' } })
    expect(statusOf(anew)).toBe('pando; fwd=request; stored')
    expect(statusOf(await api.ask(path, { headers: { 'cache-control': 'no-store' } }))).toMatch('fwd=bypass')
  })
})

describe('who may share an answer', () => {
  const path = '/posts?select=id,title&order=id'
  const titles = async (asked?: Asked) =>
    ((await api.ask(path, asked)).body as { title: string }[]).map((row) => row.title)

  test('are callers whom the policies cannot tell apart, and no others', async () => {
    await api.database.run(
      `insert into posts values (10, 1, 'of ann', '${ann}', false), (11, 1, 'of ben', '${ben}', false)`,
    )
    await untilKept(path, await as(ann))
    // Another session of the same person.
    expect(statusOf(await api.ask(path, await as(ann, { session_id: 'another' })))).toBe(hit)
    for (let n = 0; n < 3; n++) {
      expect(await titles(await as(ann))).toEqual(['one', 'two', 'of ann'])
      expect(await titles(await as(ben))).toEqual(['one', 'two', 'of ben'])
      expect(await titles()).toEqual(['one', 'two'])
    }
  })

  test('are others after a row that a policy reads', async () => {
    await untilKept(path, await as(ben))
    await api.database.run(`insert into members values (10, '${ben}')`)
    await expect.poll(async () => titles(await as(ben)), patiently).toContain('of ann')
    await api.database.run('delete from members')
    await expect.poll(async () => titles(await as(ben)), patiently).not.toContain('of ann')
  })

  test('are others after a policy, from its commit on', async () => {
    for (let n = 0; n < 5; n++) {
      await untilKept(path, await as(ben))
      await api.database.run('alter policy reading on posts using (is_public)')
      expect(await titles(await as(ann, { n }))).toEqual(expect.arrayContaining(['one', 'two']))
      await expect.poll(async () => titles(await as(ben)), patiently).toEqual(['one', 'two', 'of ben'])
      await api.database.run('drop policy writing on posts')
      await expect.poll(async () => titles(await as(ben)), patiently).toEqual(['one', 'two'])
      await untilKept(path, await as(ben))
      await api.database.run(`alter policy reading on posts using (is_public or owner = auth.uid());
        create policy writing on posts for all to authenticated using (owner = auth.uid())`)
      // Nobody is shown what was kept for all.
      const both = await Promise.all([as(ann), as(ben)].map(async (caller) => titles(await caller)))
      expect(both[0]).not.toContain('of ben')
      expect(both[1]).not.toContain('of ann')
      await expect.poll(async () => titles(await as(ann)), patiently).toContain('of ann')
      await expect.poll(async () => titles(await as(ben)), patiently).toContain('of ben')
    }
  })

  test('are nobody without the privilege', async () => {
    await untilKept('/authors?select=name')
    await api.database.run('revoke select on authors from anon')
    await expect.poll(async () => (await api.ask('/authors?select=name')).status, patiently).toBe(401)
    await api.database.run('grant select on authors to anon')
    await untilKept('/authors?select=name')
  })

  test('are all who are not signed in where policies look at no claim: then caches on the way may keep it too', async () => {
    expect((await untilKept('/authors?select=name')).headers.get('cache-control')).toBe('public, no-cache')
    expect((await untilKept('/authors?select=name', await as(ann))).headers.get('cache-control')).toBe(
      'private, no-cache',
    )
    expect((await untilKept(path)).headers.get('cache-control')).toBe('private, no-cache')
  })
})

test('nobody is shown less than they wrote', async () => {
  const path = `/posts?select=title&id=eq.20`
  const asked = await as(ann)
  const { headers } = asked
  await api.ask('/posts', { headers, body: { id: 20, author_id: 1, title: '0', owner: ann, is_public: true } })
  let stale = 0
  for (let n = 1; n <= 40; n++) {
    // Something must be there that could be shown instead.
    if (n % 4 === 0) await untilKept(path, asked)
    const written = await api.ask('/posts?id=eq.20', { method: 'PATCH', headers, body: { title: String(n) } })
    expect([written.status, written.text]).toEqual([204, ''])
    expect(written.headers.get('pando-commit')).toMatch('/')
    for (let again = 0; again < 3; again++) {
      const found = await api.ask(path, asked)
      if ((found.body as { title: string }[])[0]!.title !== String(n)) stale += 1
    }
  }
  expect(stale).toBe(0)
})

describe('what cannot be kept is read, and says why', () => {
  test.each([
    ['/rooms', 'not_published'],
    ['/doors', 'policy'],
    ['/timed', 'time'],
    ['/timed?until=gt.now', 'time'],
    ['/posts?select=title::name', 'function'],
    ['/posts?select=id&limit=1', 'estimate', { prefer: 'count=planned' }],
  ])('%s: %s', async (path, detail, headers: Record<string, string> = {}) => {
    for (let n = 0; n < 2; n++) {
      await expect
        .poll(async () => statusOf(await api.ask(path, { headers })), patiently)
        .toBe(`pando; fwd=bypass; detail=${detail}`)
    }
  })

  test.each(['/titles', '/private_notes', '/rpc/may_see?id=1'])(
    '%s: nothing, as it is no table of the publication',
    async (path) => {
      expect(statusOf(await api.ask(path))).toBeNull()
    },
  )

  test('a table that leaves the publication', async () => {
    await untilKept('/authors?select=id')
    await api.database.run('alter publication pando_cache drop table authors')
    await expect.poll(async () => statusOf(await api.ask('/authors?select=id')), patiently).toBeNull()
    await expect
      .poll(async () => statusOf(await api.ask('/posts?select=id,authors(id)')), patiently)
      .toBe('pando; fwd=bypass; detail=not_published')
    await api.database.run('alter publication pando_cache add table authors')
    await untilKept('/authors?select=id')
  })
})

test('where requests must ask for it, only those that do are kept', async () => {
  const asking = await startApi({ beside: api, environment: { ...quickCache, PANDO_CACHE_MODE: 'asked' } })
  const headers = { 'cache-control': 'max-age=60' }
  const path = '/authors?select=name'
  await expect.poll(async () => statusOf(await asking.ask(path, { headers })), patiently).toBe(hit)
  expect(statusOf(await asking.ask(path))).toBeNull()
  await asking.stop()
})

test('a node keeps nothing unless it is told to', async () => {
  const plain = await startApi({ beside: api })
  const { headers } = await plain.ask('/authors')
  expect([headers.get('cache-status'), headers.get('etag'), headers.get('cache-control')]).toEqual([null, null, null])
  await plain.stop()
})
