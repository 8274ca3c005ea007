import { afterAll, beforeAll, expect, test } from 'vitest'
import { PostgresUnavailable, type PostgresError } from '../errors.ts'
import type { PipelineObservation } from './observation.ts'
import { cell, eventually, exchange, sql, startTestCluster, within, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startTestCluster()
})
afterAll(() => cluster.remove())

const nap = (seconds: number) => sql('select pg_sleep($1::float8)', String(seconds))
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('no error'),
    (error: unknown) => error as PostgresUnavailable,
  )
const napping = async () => {
  const [row] = await cluster.admin(
    `select count(*)::int as n from pg_stat_activity where query like '%pg_sleep($1%' and state = 'active' and pid <> pg_backend_pid()`,
  )
  return row!.n as number
}

test('an exchange whose deadline is over before it starts is not sent', async () => {
  const pools = cluster.pools()
  expect(await failure(pools.run(exchange(nap(0), within(0))))).toMatchObject({ reason: 'deadline', sent: false })
  expect(await failure(pools.run(exchange(nap(0), { signal: AbortSignal.abort() })))).toMatchObject({
    reason: 'aborted',
    sent: false,
  })
  expect(pools.stats().connections).toBe(0)
})

test('an exchange whose deadline passes while it waits is refused unsent, and the one before it is not touched', async () => {
  const pools = cluster.pools({ limits: { writeConnectionsMax: 1 } })
  const running = pools.run(exchange(nap(0.5), { access: 'write' }))
  const refused = await failure(pools.run(exchange(nap(0), { access: 'write', ...within(100) })))
  expect(refused).toMatchObject({ reason: 'deadline', sent: false })
  expect((await running)[0]!.tag).toBe('SELECT 1')
})

test.each(['read', 'write'] as const)(
  'a %s that runs past its deadline is answered at once and ended in Postgres',
  async (access) => {
    const pools = cluster.pools()
    expect(await failure(pools.run(exchange(nap(30), { access, ...within(150) })))).toMatchObject({
      reason: 'deadline',
      sent: true,
    })
    await eventually(async () => (await napping()) === 0)
    await eventually(() => pools.stats().lanes.every(({ inFlight }) => inFlight === 0))
    // The connection survived and serves again.
    expect(await cell(pools, exchange(sql('select 1'), { access }))).toBe('1')
    expect(pools.stats().connections).toBe(1)
  },
)

test('an exchange whose caller hangs up is ended in Postgres', async () => {
  const pools = cluster.pools()
  const caller = new AbortController()
  const answer = failure(pools.run(exchange(nap(30), { signal: caller.signal })))
  await eventually(async () => (await napping()) === 1)
  caller.abort()
  expect(await answer).toMatchObject({ reason: 'aborted', sent: true })
  await eventually(async () => (await napping()) === 0)
})

test('a cancel never hits a neighbour, whenever deadlines pass and statements end', async () => {
  const cancels: PipelineObservation[] = []
  const onObservation = (seen: PipelineObservation) => void (seen.kind === 'cancel.sent' && cancels.push(seen))
  const limits = { sharedConnectionsMax: 1, aloneConnectionsMax: 2, writeConnectionsMax: 2 }
  const pools = cluster.pools({ limits, onObservation })
  const outcomes = { answered: 0, deadline: 0, wrong: [] as unknown[] }
  const caller = async (i: number) => {
    for (let round = 0; round < 60; round++) {
      const hurried = (i + round) % 3 === 0
      // Hurried ones end at about their deadline, on either side of it: that is when a late cancel could hit the next.
      const statement = hurried
        ? sql(`select pg_sleep($1::float8), ${i % 2}`, '0.02')
        : sql('select pg_sleep($1::float8)', '0.001')
      const limit = hurried ? within(15 + Math.random() * 15) : {}
      await pools.run(exchange(statement, { access: i % 4 === 0 ? 'write' : 'read', ...limit })).then(
        () => outcomes.answered++,
        (error: unknown) => {
          if (hurried && error instanceof PostgresUnavailable && error.reason === 'deadline') outcomes.deadline++
          else outcomes.wrong.push(error)
        },
      )
    }
  }
  await Promise.all(Array.from({ length: 16 }, (_, i) => caller(i)))
  expect(outcomes.wrong).toEqual([])
  expect(cancels.length).toBeGreaterThan(20)
  expect(outcomes.answered).toBeGreaterThan(500)
})

test('a statement that turns slow delays those behind it only until it is stopped, and is then carried out alone', async () => {
  const seen: string[] = []
  const order: string[] = []
  const limits = { sharedConnectionsMax: 1, aloneConnectionsMax: 1, sharedStatementMs: 300 }
  const pools = cluster.pools({ limits, onObservation: ({ kind }) => seen.push(kind) })
  // Enough at once that the fast ones go to the shared connection.
  for (let i = 0; i < 5; i++)
    await Promise.all([1, 2, 3, 4].flatMap(() => [pools.run(exchange(nap(0))), pools.run(exchange(sql('select 1')))]))
  await eventually(() => pools.stats().lanes.some(({ kind, connections }) => kind === 'shared' && connections === 1))
  const slow = pools.run(exchange(nap(2))).then(([result]) => order.push(`slow ${result!.tag}`))
  const neighbours = Array.from({ length: 10 }, () =>
    pools.run(exchange(sql('select 1'))).then(() => order.push('neighbour')),
  )
  await Promise.all([slow, ...neighbours])
  expect(order).toEqual([...Array.from({ length: 10 }, () => 'neighbour'), 'slow SELECT 1'])
  expect(seen).toContain('exchange.retried')
  // It has proved slow: it does not share again until it has proved fast again, alone.
  expect(pools.stats().lanes.find(({ kind }) => kind === 'shared')!.inFlight).toBe(0)
  for (let i = 0; i < 80; i++) await pools.run(exchange(nap(0)))
  expect(seen.filter((kind) => kind === 'statement.became').length).toBeGreaterThanOrEqual(4)
})

test('slow and unknown statements do not delay fast ones', async () => {
  const pools = cluster.pools({ limits: { sharedConnectionsMax: 1, aloneConnectionsMax: 2 } })
  const fast = () => pools.run(exchange(sql('select 42')))
  for (let i = 0; i < 4; i++) await fast()
  const enough = new AbortController()
  const endless = (n: number) => exchange(sql(`select ${n}, pg_sleep(600)`), { signal: enough.signal })
  const slow = [1, 2, 3, 4].map((n) => failure(pools.run(endless(n))))
  for (let i = 0; i < 20; i++) await fast()
  enough.abort()
  for (const answer of slow) expect(await answer).toMatchObject({ reason: 'aborted' })
})

test('where no session is kept, Postgres is told the time that is left when a statement is sent, not when it had to wait', async () => {
  const pools = cluster.pools({ mode: 'transactional', limits: { connectionsMax: 1 } })
  const first = pools.run(exchange(nap(0.5)))
  const second = cell(pools, exchange(sql(`select current_setting('statement_timeout')`), within(20_000)))
  await first
  const text = await second
  const leftMs = text!.endsWith('ms') ? Number.parseInt(text!) : Number.parseInt(text!) * 1000
  expect(leftMs).toBeLessThanOrEqual(19_510)
})

test('a role keeps its own time limit where it is shorter', async () => {
  const pools = cluster.pools({ roleSettings: () => [['statement_timeout', '200ms']] })
  const failed = await pools.run(exchange(nap(30))).then(
    () => undefined,
    (error: unknown) => error as PostgresError,
  )
  expect(failed!.fields.code).toBe('57014')
})

test('no request outlives its deadline when the network swallows everything', async () => {
  const pools = cluster.pools({ limits: { connectMs: 300 } })
  await cell(pools, exchange(sql('select 1')))
  const [backend] = await cluster.admin(
    `select pid from pg_stat_activity where application_name = 'pando-test' order by backend_start desc limit 1`,
  )
  process.kill(backend!.pid as number, 'SIGSTOP')
  try {
    expect(await failure(pools.run(exchange(sql('select 1'), within(200))))).toMatchObject({ reason: 'deadline' })
    // Fenced while it cannot be cancelled: the next one is served by another connection.
    expect(await cell(pools, exchange(sql('select 2')))).toBe('2')
  } finally {
    process.kill(backend!.pid as number, 'SIGCONT')
  }
})
