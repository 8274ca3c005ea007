import { afterAll, beforeAll, expect, test } from 'vitest'
import { PostgresError, type PostgresUnavailable } from '../errors.ts'
import { cell, eventually, exchange, sql, startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startTestCluster()
  await cluster.admin(`
    create table note (id int primary key, text text);
    grant all on note to anon;
    create function public.leave_open() returns void language sql as $$ select $$;`)
})
afterAll(() => cluster.remove())

const error = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('no error'),
    (e: unknown) => e as never,
  )
const write = { access: 'write' } as const

test('an exchange answers with one result per statement, its rows as bytes and its tag', async () => {
  const pools = cluster.pools()
  const results = await pools.run(
    exchange(
      [
        sql(`insert into note values (1, 'one'), (2, null)`),
        sql('select id, text from note where id = any ($1) order by id', '{1,2}'),
        sql(''),
      ],
      write,
    ),
  )
  expect(results.map(({ rows, tag }) => ({ rows: rows.map((row) => row.map(String)), tag }))).toEqual([
    { rows: [], tag: 'INSERT 0 2' },
    {
      rows: [
        ['1', 'one'],
        ['2', 'null'],
      ],
      tag: 'SELECT 2',
    },
    { rows: [], tag: '' },
  ])
  expect(results[1]!.rows[1]![1]).toBeNull()
})

test('an error undoes the whole exchange, skips what follows and tells where it is', async () => {
  const pools = cluster.pools()
  const failed: PostgresError = await error(
    pools.run(exchange([sql(`insert into note values (7, 'x')`), sql('select nothing'), sql('select 1')], write)),
  )
  expect(failed).toBeInstanceOf(PostgresError)
  expect(failed.fields).toMatchObject({ code: '42703', position: 8, severity: 'ERROR' })
  expect(await cell(pools, exchange(sql('select count(*) from note where id = 7')))).toBe('0')
})

test('an error hurts only its own exchange among those that share a connection', async () => {
  const pools = cluster.pools({ limits: { sharedConnectionsMax: 1, aloneConnectionsMax: 1, sharedDepthMax: 64 } })
  const divide = (by: number) => cell(pools, exchange(sql('select 100 / $1::int', String(by))))
  for (let i = 0; i < 4; i++) await divide(1)
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => divide(i % 5)))
  expect(outcomes).toMatchObject(
    Array.from({ length: 50 }, (_, i) =>
      i % 5 === 0 ? { reason: { fields: { code: '22012' } } } : { value: String(Math.floor(100 / (i % 5))) },
    ),
  )
})

test('a read cannot write', async () => {
  const failed: PostgresError = await error(cluster.pools().run(exchange(sql('delete from note'))))
  expect(failed.fields.code).toBe('25006')
})

test('a statement that could not be prepared is prepared when it can be', async () => {
  const pools = cluster.pools({ limits: { aloneConnectionsMax: 1 } })
  const late = exchange([sql('select 1 / $1::int', '0'), sql('select $1::text', 'skipped')])
  const missing = exchange(sql('select count(*) from later'))
  expect(await error(pools.run(missing))).toMatchObject({ fields: { code: '42P01' } })
  expect(await error(pools.run(late))).toMatchObject({ fields: { code: '22012' } })
  await cluster.admin('create table later (); grant select on later to anon')
  expect(await cell(pools, missing)).toBe('0')
  expect(await cell(pools, exchange(sql('select $1::text', 'skipped')))).toBe('skipped')
})

test('a connection keeps no more prepared statements than it may', async () => {
  const pools = cluster.pools({ limits: { preparedMax: 8, sharedConnectionsMax: 1, aloneConnectionsMax: 1 } })
  for (let i = 0; i < 300; i++)
    expect(await cell(pools, exchange(sql(`select ${(i * 7) % 31}`)))).toBe(String((i * 7) % 31))
  const kept = await cell(pools, exchange(sql('select count(*) from pg_prepared_statements')))
  // One more than 8: what was evicted last is closed with the next exchange.
  expect(Number(kept)).toBeLessThanOrEqual(9)
})

test('prepared statements that Postgres has lost are prepared again without the caller noticing', async () => {
  const pools = cluster.pools({ limits: { aloneConnectionsMax: 1, writeConnectionsMax: 1 } })
  const read = exchange(sql('select 5'), write)
  await cell(pools, read)
  await pools.run(exchange(sql('deallocate all'), write))
  expect(await cell(pools, read)).toBe('5')
})

test('changes of the schema under load disturb nobody', async () => {
  await cluster.admin('create table wide (id int); insert into wide values (1); grant select on wide to anon')
  const pools = cluster.pools()
  const stop = new AbortController()
  const callers = Array.from({ length: 16 }, async () => {
    while (!stop.signal.aborted) {
      const [result] = await pools.run(exchange(sql('select * from wide where id = $1', '1')))
      expect(result!.rows).toHaveLength(1)
    }
  })
  for (let i = 0; i < 15; i++) {
    await cluster.admin(`alter table wide add column c${i} text default 'x'`)
    await cluster.admin(
      i % 2 ? `alter table wide alter column id type bigint` : `alter table wide alter column id type int`,
    )
  }
  stop.abort()
  await Promise.all(callers)
})

test('a large parameter in chunks is neither joined nor copied', async () => {
  const pools = cluster.pools()
  const chunk = Buffer.alloc(64 * 1024, 'a')
  const large = (count: number) =>
    exchange(
      sql(
        'select length($1::text)',
        Array.from({ length: count }, () => chunk),
      ),
      write,
    )
  await cell(pools, large(16))
  const before = process.memoryUsage()
  let peak = 0
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss - before.rss)), 5)
  expect(await cell(pools, large(800))).toBe(String(800 * 64 * 1024))
  clearInterval(timer)
  expect(peak).toBeLessThan(30 * 1024 * 1024)
})

test('an answer larger than it may be is refused and its statement ended, and the connection goes on', async () => {
  const pools = cluster.pools({ limits: { resultBytesMax: 1_000_000 } })
  const rows = (count: number) =>
    exchange(sql('select repeat($1, 1000) from generate_series(1, $2::int)', 'x', String(count)))
  const backend = sql('select pg_backend_pid()')
  const before = await cell(pools, exchange(backend))
  expect((await pools.run(rows(900)))[0]!.rows).toHaveLength(900)
  expect(await error(pools.run(rows(1_000_000)))).toMatchObject({ fields: { code: '54000' } })
  await eventually(() => pools.stats().lanes.every(({ inFlight }) => inFlight === 0))
  await expect.poll(() => cell(pools, exchange(backend))).toBe(before)
})

test('more parameters than the protocol can count are refused', async () => {
  const params = Array.from({ length: 65_536 }, () => '1')
  expect(await error(cluster.pools().run(exchange(sql('select 1', ...params))))).toMatchObject({
    fields: { code: '54000' },
  })
})

test('a parameter of a wrong type is refused before anything is written', async () => {
  const pools = cluster.pools()
  await expect(pools.run(exchange(sql('select $1', 5 as never)))).rejects.toThrow('Parameter 1 is a number')
  expect(pools.stats()).toMatchObject({ connections: 0, pending: 0 })
})

test('a statement that leaves a transaction open costs its connection and reaches nobody else', async () => {
  const pools = cluster.pools({ limits: { writeConnectionsMax: 1 } })
  await pools.run(exchange([sql('begin'), sql(`insert into note values (70, 'open')`)], write))
  await eventually(() => pools.stats().connections === 0)
  expect(await cell(pools, exchange(sql('select count(*) from note where id = 70'), write))).toBe('0')
})

test('a statement that starts a copy fails and the next one works', async () => {
  const pools = cluster.pools()
  const failed: PostgresUnavailable = await error(pools.run(exchange(sql('copy note from stdin'), write)))
  expect(failed).toMatchObject({ reason: 'connection', sent: true })
  expect(await cell(pools, exchange(sql('select 1'), write))).toBe('1')
})

test('roles that do not exist, or mean the login role, are refused as Postgres refuses them', async () => {
  const pools = cluster.pools()
  for (const role of ['nobody', 'none', '', 'anon -c role=service_role']) {
    const failed: PostgresError = await error(pools.run(exchange(sql('select current_user'), { role })))
    expect(failed.fields).toMatchObject({ code: '22023', message: `role "${role}" does not exist` })
  }
})

test('settings of the role hold from the first statement on, and new ones after the sessions are replaced', async () => {
  let path = 'pg_catalog, "odd \\ name"'
  const pools = cluster.pools({
    roleSettings: () => [
      ['search_path', path],
      ['statement_timeout', '7s'],
    ],
  })
  const show = (name: string) => cell(pools, exchange(sql(`select current_setting($1)`, name)))
  expect(await show('search_path')).toBe(path)
  expect(await show('statement_timeout')).toBe('7s')
  path = 'public'
  expect(await show('search_path')).not.toBe(path)
  pools.retire()
  expect(await show('search_path')).toBe(path)
})
