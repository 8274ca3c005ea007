import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PostgresError, PostgresUnavailable } from '../errors.ts'
import type { PipelinedPools } from './pools.ts'
import { cell, eventually, exchange, sql, startTestCluster, within, type TestCluster } from './test-cluster.ts'

/** Reserved for superusers are 3 of them; the rest is for us. */
const serverConnectionsMax = 13

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startTestCluster({
    settings: { max_connections: serverConnectionsMax, max_wal_senders: 0, superuser_reserved_connections: 3 },
  })
  await cluster.admin('create table done (id int primary key); grant all on done to anon')
})
afterAll(() => cluster.remove())

const write = { access: 'write' } as const
/** Anew each time: its deadline counts from here. */
const one = () => exchange(sql('select 1'))
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('no error'),
    (error: unknown) => error as PostgresUnavailable,
  )
const answers = (pools: PipelinedPools) =>
  pools.run({ ...one(), ...within(5_000) }).then(
    () => true,
    () => false,
  )

test('connections that die at random fail only what was in flight on them, and what was refused unsent was not done', async () => {
  const pools = cluster.pools({ limits: { connectionsMax: 8, backoffMs: 1, backoffMsMax: 5 } })
  const acknowledged = new Set<number>()
  const unsent = new Set<number>()
  let next = 0
  const stop = new AbortController()
  const unexpected: unknown[] = []
  const caller = async () => {
    while (!stop.signal.aborted) {
      const id = next++
      await pools.run(exchange(sql('insert into done values ($1)', String(id)), write)).then(
        () => acknowledged.add(id),
        (error: unknown) => {
          if (!(error instanceof PostgresUnavailable) || error.reason !== 'connection') unexpected.push(error)
          else if (!error.sent) unsent.add(id)
        },
      )
      await pools.run(exchange(sql('select $1::int', String(id)))).then(
        ([result]) => result!.rows[0]![0]!.toString() === String(id) || unexpected.push(result),
        (error: unknown) => error instanceof PostgresUnavailable || unexpected.push(error),
      )
    }
  }
  const callers = Array.from({ length: 12 }, caller)
  for (let i = 0; i < 25; i++) {
    await sleep(20)
    await cluster.admin(`
      select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pando-test'
      order by random() limit 2`)
  }
  stop.abort()
  await Promise.all(callers)
  expect(unexpected).toEqual([])
  const ids = new Set((await cluster.admin('select id from done')).map(({ id }) => id as number))
  expect([...acknowledged].filter((id) => !ids.has(id))).toEqual([])
  expect([...unsent].filter((id) => ids.has(id))).toEqual([])
  expect(acknowledged.size).toBeGreaterThan(100)
  await pools.close()
})

test('while Postgres is down requests fail at once; when it is back they are answered without anybody doing anything', async () => {
  const pools = cluster.pools({ limits: { backoffMs: 20, backoffMsMax: 100 } })
  for (let i = 0; i < 4; i++) await pools.run(one())
  const running = failure(pools.run(exchange(sql('select pg_sleep(30)'))))
  await eventually(() => pools.stats().pending === 1)
  await cluster.stop()
  expect(await running).toMatchObject({ reason: 'connection', sent: true })
  const refused = await Promise.all(Array.from({ length: 100 }, () => failure(pools.run(one()))))
  for (const error of refused) expect(error).toMatchObject({ reason: 'connection', sent: false })
  expect(pools.stats()).toMatchObject({ pending: 0, connections: 0 })
  await cluster.start()
  await eventually(() => answers(pools))
  await pools.close()
})

test('out of connections, requests share those there are; without any they fail at once and recover by themselves', async () => {
  const hog = cluster.pools({ limits: { writeConnectionsMax: 16 } })
  const hold = (count: number) =>
    Array.from({ length: count }, () =>
      hog.run(exchange(sql('select pg_sleep(30)'), { ...write, signal: release.signal })).catch(() => {}),
    )
  const release = new AbortController()
  const held = hold(serverConnectionsMax - 3 - 1)
  await eventually(
    () => hog.stats().lanes.reduce((sum, { inFlight }) => sum + inFlight, 0) === serverConnectionsMax - 4,
  )

  const pools = cluster.pools({ limits: { backoffMs: 20, backoffMsMax: 100 } })
  // Postgres may still be busy to end a connection of the test before.
  await eventually(() => pools.run(exchange(sql('select 1'), write)).then(Boolean, () => false))
  const outcomes = await Promise.all(
    Array.from({ length: 30 }, (_, i) => cell(pools, exchange(sql('select $1::int', String(i)), write))),
  )
  expect(outcomes).toEqual(Array.from({ length: 30 }, (_, i) => String(i)))

  const late = cluster.pools({ limits: { backoffMs: 20, backoffMsMax: 100 } })
  const refused = await failure(late.run(one()))
  expect(refused).toMatchObject({ reason: 'connection', sent: false })
  expect((refused.cause as { code: string }).code).toBe('53300')
  release.abort()
  await Promise.all(held)
  await hog.close()
  await eventually(() => answers(late))
  await Promise.all([pools.close(), late.close()])
})

test('the queue is bounded in length and in time', async () => {
  const pools = cluster.pools({ limits: { writeConnectionsMax: 1, queueMax: 2, queueWaitMs: 300 } })
  await pools.run(exchange(sql('select 1'), write))
  const running = pools.run(exchange(sql('select pg_sleep(1)'), write))
  const waiting = [1, 2].map(() => failure(pools.run(exchange(sql('select 1'), write))))
  const full = await failure(pools.run(exchange(sql('select 1'), write)))
  expect(full).toMatchObject({ reason: 'pool', sent: false })
  expect(full.message).toContain('2 exchanges already wait')
  for (const late of waiting) expect(await late).toMatchObject({ reason: 'pool', sent: false })
  await running
  await pools.close()
})

test('a role that keeps all connections busy does not shut out another', async () => {
  const pools = cluster.pools({ limits: { connectionsMax: 4 } })
  const stop = new AbortController()
  const busy = Array.from({ length: 20 }, async () => {
    while (!stop.signal.aborted) await pools.run(exchange(sql('select pg_sleep(0.01)'), write))
  })
  await eventually(() => pools.stats().connections === 4)
  for (const role of ['authenticated', 'service_role']) {
    for (let i = 0; i < 20; i++)
      await pools.run(exchange(sql('select pg_sleep(0.001)'), { role, access: i % 2 ? 'write' : 'read' }))
  }
  expect(pools.stats().connections).toBeLessThanOrEqual(4)
  stop.abort()
  await Promise.all(busy)
  await pools.close()
})

test('idle connections are closed, and lanes that nobody uses are forgotten', async () => {
  const pools = cluster.pools({ limits: { connectionIdleMs: 50 } })
  await Promise.all([pools.run(one()), pools.run({ ...one(), access: 'write' })])
  await eventually(() => pools.stats().connections === 0 && pools.stats().lanes.length === 0)
  expect(await answers(pools)).toBe(true)
  await pools.close()
})

test('sessions are replaced under load without a failed exchange', async () => {
  const pools = cluster.pools({ limits: { connectionsMax: 8 } })
  const stop = new AbortController()
  const backends = new Set<string>()
  const callers = Array.from({ length: 16 }, async (_, i) => {
    while (!stop.signal.aborted) {
      backends.add((await cell(pools, exchange(sql('select pg_backend_pid()'), i % 2 ? write : {})))!)
    }
  })
  await eventually(() => backends.size > 0)
  for (let i = 0; i < 10; i++) {
    pools.retire()
    const before = backends.size
    await eventually(() => backends.size > before)
  }
  stop.abort()
  await Promise.all(callers)
  expect(backends.size).toBeGreaterThan(10)
  await pools.close()
})

test('closing answers what runs, refuses what waits, and leaves no connection', async () => {
  const pools = cluster.pools({ limits: { writeConnectionsMax: 1 } })
  await pools.run(exchange(sql('select 1'), write))
  const running = cell(pools, exchange(sql(`select 'ran', pg_sleep(0.3)`), write))
  const waiting = failure(pools.run(exchange(sql('select 1'), write)))
  await pools.close()
  expect(await running).toBe('ran')
  expect(await waiting).toMatchObject({ reason: 'connection', sent: false })
  expect(await failure(pools.run(one()))).toMatchObject({ reason: 'connection', sent: false })
  expect(pools.stats().connections).toBe(0)
})

test('a wrong password or database is an outage, said plainly, without the password', async () => {
  const pools = cluster.pools({ url: cluster.url.replace('/postgres', '/nowhere') })
  const refused = await failure(pools.run(one()))
  expect(refused).toMatchObject({ reason: 'connection', sent: false })
  expect(refused.message).toContain('database "nowhere" does not exist')
  expect(refused).not.toBeInstanceOf(PostgresError)
  expect(() => cluster.pools({ url: 'postgres://u:secret@[/x' })).toThrow(/^(?!.*secret).*DATABASE_URL/)
})
