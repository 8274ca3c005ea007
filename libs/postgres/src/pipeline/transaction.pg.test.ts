import { systemClock } from '@pando/core/clock'
import { deadlineIn } from '@pando/core/deadline'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PostgresError, PostgresUnavailable } from '../errors.ts'
import { cell, eventually, exchange, sql, startTestCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startTestCluster()
  await cluster.admin(`
    create table account (id int primary key, balance int check (balance >= 0)); grant all on account to anon;
    create table child (id int references account deferrable initially deferred); grant all on child to anon;`)
})
beforeEach(() => cluster.admin('truncate child, account; insert into account values (1, 100)'))
afterAll(() => cluster.remove())

const request = (timeoutMs = 10_000) => ({
  role: 'anon',
  access: 'write' as const,
  deadline: deadlineIn(systemClock, timeoutMs),
  settings: [['request.jwt.claims', '{"sub":"1"}'] as const],
})
const balanceSql = sql('select balance from account where id = 1')

describe.each(['pipelined', 'transactional'] as const)('%s', (mode) => {
  const open = () => cluster.pools({ mode, limits: { writeConnectionsMax: 2, connectionsMax: 2 } })
  const balance = (pools: ReturnType<typeof open>) => cell(pools, exchange(balanceSql, { access: 'write' }))

  test('a transaction looks at a result and commits, as its role and with its settings', async () => {
    const pools = open()
    const answer = await pools.transaction(request(), async (tx) => {
      const who = await tx.query(sql(`select current_user || current_setting('request.jwt.claims')`))
      const { rows } = await tx.query(sql('select balance from account where id = 1 for update'))
      await tx.query(sql('update account set balance = $1 where id = 1', String(Number(rows[0]![0]) - 30)))
      return who.rows[0]![0]!.toString()
    })
    expect(answer).toBe('anon{"sub":"1"}')
    expect(await balance(pools)).toBe('70')
  })

  test('it rolls back when the function throws, and when it says so', async () => {
    const pools = open()
    const thrown = pools.transaction(request(), async (tx) => {
      await tx.query(sql('update account set balance = 1'))
      throw new Error('changed my mind')
    })
    await expect(thrown).rejects.toThrow('changed my mind')
    const count = await pools.transaction(request(), async (tx) => {
      const { tag } = await tx.query(sql('update account set balance = 2'))
      return tx.rollback(tag)
    })
    expect(count).toBe('UPDATE 1')
    expect(await balance(pools)).toBe('100')
  })

  test('an error that the function ignores still fails the transaction', async () => {
    const pools = open()
    const failed = await pools
      .transaction(request(), async (tx) => {
        await tx.query(sql('update account set balance = 5'))
        await tx.query(sql('update account set balance = -1')).catch(() => {})
      })
      .catch((error: unknown) => error as PostgresError)
    expect(failed).toMatchObject({ fields: { code: '23514' } })
    expect(await balance(pools)).toBe('100')
  })

  test('an error of the commit itself is the answer', async () => {
    const pools = open()
    const late = pools.transaction(request(), (tx) => tx.query(sql('insert into child values (99)')))
    await expect(late).rejects.toMatchObject({ fields: { code: '23503' } })
    expect(await balance(pools)).toBe('100')
  })

  test('its deadline ends it while a statement runs, and while the function thinks; locks are freed', async () => {
    const pools = open()
    for (const wait of [
      (tx: { query: (s: ReturnType<typeof sql>) => Promise<unknown> }) => tx.query(sql('select pg_sleep(30)')),
      () => new Promise(() => {}),
    ]) {
      const failed = await pools
        .transaction(request(200), async (tx) => {
          await tx.query(sql('update account set balance = 3'))
          await wait(tx)
        })
        .catch((error: unknown) => error as PostgresUnavailable)
      expect(failed).toMatchObject({ reason: 'deadline', sent: false })
      await pools.transaction(request(), (tx) => tx.query(sql('update account set balance = balance + 1')))
    }
    expect(await balance(pools)).toBe('102')
  })

  test('a transaction has its connection to itself and gives it back', async () => {
    const pools = open()
    await Promise.all(
      Array.from({ length: 20 }, () =>
        pools.transaction(request(), async (tx) => {
          const { rows } = await tx.query(sql('select balance from account where id = 1 for update'))
          await tx.query(sql('update account set balance = $1', String(Number(rows[0]![0]) + 1)))
        }),
      ),
    )
    expect(await balance(pools)).toBe('120')
    expect(pools.stats()).toMatchObject({ pending: 0 })
    expect(pools.stats().connections).toBeLessThanOrEqual(2)
  })

  test('a transaction whose connection dies before the commit may be tried again', async () => {
    const pools = open()
    const failed = await pools
      .transaction(request(), async (tx) => {
        const { rows } = await tx.query(sql('update account set balance = 3 returning pg_backend_pid()'))
        await cluster.admin(`select pg_terminate_backend(${rows[0]![0]}, 10000)`)
        await tx.query(sql('select 1'))
      })
      .catch((error: unknown) => error as PostgresUnavailable)
    expect(failed).toMatchObject({ reason: 'connection', sent: false })
    await eventually(async () => (await balance(pools)) === '100')
  })

  test('a transaction that is over takes no statements', async () => {
    const pools = open()
    let kept: ((statement: ReturnType<typeof sql>) => Promise<unknown>) | undefined
    await pools.transaction(request(), async (tx) => void (kept = tx.query))
    await expect(kept!(sql('select 1'))).rejects.toThrow('over')
  })
})
