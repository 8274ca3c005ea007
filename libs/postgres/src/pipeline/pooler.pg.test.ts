import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PostgresUnavailable } from '../errors.ts'
import { isPoolerInstalled, startPooler, type TestPooler } from '../testing/pooler.ts'
import type { PipelinedPools } from './pools.ts'
import { cell, eventually, exchange, sql, startTestCluster, within, type TestCluster } from './test-cluster.ts'

if (!isPoolerInstalled) process.stderr.write('pooler.pg.test.ts is skipped: the program pgbouncer is not installed\n')

const backendsMax = 3

describe.skipIf(!isPoolerInstalled)('behind pgbouncer in transaction mode', () => {
  let cluster: TestCluster
  let pooler: TestPooler
  let pools: PipelinedPools

  beforeAll(async () => {
    cluster = await startTestCluster({ tcp: true })
    await cluster.admin('create table counted (id serial, claims text); grant all on counted, counted_id_seq to anon')
    pooler = await startPooler({ serverPort: cluster.tcpPort!, backendsMax })
    pools = cluster.pools({
      url: pooler.url,
      mode: 'transactional',
      roleSettings: () => [['app.kind', 'test']],
      limits: { connectionsMax: 20 },
    })
    await eventually(() =>
      pools.run(exchange(sql('select 1'))).then(
        () => true,
        () => false,
      ),
    )
  })
  afterAll(async () => {
    await pools?.close()
    await pooler?.stop()
    await cluster.remove()
  })

  test('many callers share few backends, each with its own role, claims and role settings', async () => {
    const seen = await Promise.all(
      Array.from({ length: 300 }, (_, i) => {
        const role = ['anon', 'authenticated', 'service_role'][i % 3]!
        const who = sql(
          `select concat_ws('|', current_user, current_setting('request.jwt.claims'), current_setting('app.kind'))`,
        )
        return cell(pools, exchange(who, { role, settings: [['request.jwt.claims', `claims ${i}`]] })).then(
          (got) => got === `${role}|claims ${i}|test`,
        )
      }),
    )
    expect(seen).not.toContain(false)
    const [row] = await cluster.admin(`select count(*)::int as n from pg_stat_activity where usename = 'authenticator'`)
    expect(row!.n).toBeLessThanOrEqual(backendsMax)
  })

  test('an exchange is one transaction, an error is rolled back and the connection goes on', async () => {
    const insert = (claims: string) => sql('insert into counted (claims) values ($1)', claims)
    const failed = pools.run(exchange([insert('undone'), sql('select 1 / $1::int', '0')], { access: 'write' }))
    await expect(failed).rejects.toMatchObject({ fields: { code: '22012' } })
    await pools.run(exchange([insert('done'), insert('done')], { access: 'write' }))
    expect(await cell(pools, exchange(sql(`select string_agg(claims, ',') from counted`)))).toBe('done,done')
    await expect(pools.run(exchange(insert('read')))).rejects.toMatchObject({ fields: { code: '25006' } })
  })

  test('transactions that look before they commit work, and roll back', async () => {
    const request = { role: 'anon', access: 'write' as const, ...within(5_000) }
    const inside = await pools.transaction(request, async (tx) => {
      await tx.query(sql(`insert into counted (claims) values ('rolled back')`))
      const { rows } = await tx.query(sql('select count(*) from counted'))
      return tx.rollback(Number(rows[0]![0]))
    })
    expect(await cell(pools, exchange(sql('select count(*) from counted')))).toBe(String(inside - 1))
  })

  test('a deadline ends the statement in Postgres, through the pooler, and hits nobody else', async () => {
    const hurried = Array.from({ length: 6 }, () =>
      pools
        .run(exchange(sql('select pg_sleep(20)'), within(200)))
        .catch((error: unknown) => error as PostgresUnavailable),
    )
    const others = Array.from({ length: 40 }, (_, i) => cell(pools, exchange(sql('select $1::int', String(i)))))
    const [errors, answers] = await Promise.all([Promise.all(hurried), Promise.all(others)])
    for (const error of errors) expect(error).toMatchObject({ reason: 'deadline' })
    expect(answers).toEqual(Array.from({ length: 40 }, (_, i) => String(i)))
    await eventually(async () => {
      const [row] = await cluster.admin(
        `select count(*)::int as n from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'`,
      )
      return row!.n === 0
    })
  })
})
