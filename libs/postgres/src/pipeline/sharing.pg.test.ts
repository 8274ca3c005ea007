import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Statement } from '../exchange.ts'
import type { PipelinedPools } from './pools.ts'
import { cell, exchange, sql, startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startTestCluster()
  await cluster.admin(`create table notes (n int primary key); grant select, insert on notes to anon`)
})
afterAll(() => cluster.remove())

const insert = (n: number): Statement => sql('insert into notes values ($1) returning n', String(n))
const write = (statement: Statement) => exchange(statement, { access: 'write' })
const proveFast = async (pools: PipelinedPools, statements: readonly Statement[]) => {
  for (const statement of statements) await pools.run(write(statement))
}
/** Of the one connection for writes. */
const busy = (pools: PipelinedPools) => {
  const { inFlight, waiting } = pools.stats().lanes.find(({ kind }) => kind === 'write')!
  return { inFlight, waiting }
}
/** Whatever is known counts as fast, also on a machine that is busy. */
const onOneConnection = () => cluster.pools({ limits: { writeConnectionsMax: 1, writeDepthMax: 3, fastMs: 10_000 } })

test('writes that have proved fast are in flight together, each with an error of its own', async () => {
  const pools = onOneConnection()
  await proveFast(pools, [insert(1), insert(2), insert(3)])
  const running = [4, 5, 5, 6, 7].map((n) => cell(pools, write(insert(n))))
  expect(busy(pools)).toEqual({ inFlight: 3, waiting: 2 })
  const settled = await Promise.allSettled(running)
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(await cell(pools, exchange(sql('select string_agg(n::text, $1 order by n) from notes', ' ')))).toBe(
    '1 2 3 4 5 6 7',
  )
})

test('a write that is not known yet is in flight alone, before and after others', async () => {
  const pools = onOneConnection()
  const known = sql('select 1')
  await proveFast(pools, [known, known, known])
  const first = pools.run(write(sql('select 2')))
  const second = pools.run(write(known))
  expect(busy(pools)).toEqual({ inFlight: 1, waiting: 1 })
  await first
  const third = pools.run(write(sql('select 3')))
  expect(busy(pools)).toEqual({ inFlight: 1, waiting: 1 })
  await Promise.all([second, third])
})

test('a write that brings much is in flight alone, however fast others of its kind were', async () => {
  const pools = onOneConnection()
  const measure = (text: string) => sql('select length($1::text)', text)
  await proveFast(pools, [measure('a'), measure('b'), measure('c')])
  const running = [measure('x'.repeat(70_000)), measure('y')].map((statement) => pools.run(write(statement)))
  expect(busy(pools)).toEqual({ inFlight: 1, waiting: 1 })
  await Promise.all(running)
})

test('a transaction has its connection to itself', async () => {
  const pools = onOneConnection()
  await proveFast(pools, [sql('select 1'), sql('select 1'), sql('select 1')])
  const { role, access, deadline } = write(sql('select 1'))
  await pools.transaction({ role, access, deadline }, async (tx) => {
    void pools.run(write(sql('select 1')))
    await tx.query(sql('select 2'))
    expect(busy(pools)).toEqual({ inFlight: 0, waiting: 1 })
  })
})
