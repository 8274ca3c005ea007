import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PipelinedPools } from './pools.ts'
import { cell, exchange, sql, startTestCluster, within, type TestCluster } from './test-cluster.ts'

/**
 * What Citus is told is looked at here; that it passes that on is seen on a real one
 * (`apps/server/src/sharding.e2e.test.ts`).
 */
describe('where tables are spread over servers', () => {
  let cluster: TestCluster
  let pools: PipelinedPools
  let distributes = true

  beforeAll(async () => {
    cluster = await startTestCluster()
    await cluster.admin('create table counted (claims text); grant all on counted to anon')
    pools = cluster.pools({
      distributes: () => distributes,
      roleSettings: () => [
        ['search_path', '"public", "extensions"'],
        ['app.kind', 'test'],
      ],
    })
  })
  afterAll(() => cluster.remove())

  const claims = sql(`select current_setting('request.jwt.claims', true)`)

  test('each of many callers has their own role and claims, and those of nobody else', async () => {
    const seen = await Promise.all(
      Array.from({ length: 100 }, (_, i) => {
        const role = ['anon', 'authenticated', 'service_role'][i % 3]!
        const names = ['request.jwt.claims', 'app.kind', 'search_path', 'citus.propagate_set_commands']
        const who = sql(
          `select concat_ws('|', current_user, ${names.map((name) => `current_setting('${name}')`).join(', ')})`,
        )
        const settings = [['request.jwt.claims', `claims ${i}`]] as const
        return cell(pools, exchange(who, { role, settings })).then(
          (got) => got === `${role}|claims ${i}|test|"public", "extensions"|local`,
        )
      }),
    )
    expect(seen).not.toContain(false)
    expect(await cell(pools, exchange(claims))).toBe('')
  })

  test('any text is a value, and only that', async () => {
    const text = fc
      .string({ unit: 'binary', maxLength: 40 })
      .filter((value) => !value.includes('\0') && value.isWellFormed())
    const nasty = fc.constantFrom(`'; drop table counted; --`, `\\'`, `\\`, `$$`, `E'\\''`, '"', 'a\nb', '')
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, nasty), async (value) => {
        const settings = [['request.jwt.claims', value]] as const
        expect(await cell(pools, exchange(claims, { settings }))).toBe(value)
      }),
      { numRuns: 200 },
    )
  })

  test('what a function set for the session is gone for who comes next', async () => {
    const leave = sql(`select set_config('row_security', 'off', false), set_config('app.me', 'somebody', false)`)
    const left = sql(`select concat_ws('|', current_setting('row_security'), current_setting('app.me', true))`)
    const request = { role: 'anon', access: 'read', ...within(5_000) } as const
    for (let round = 0; round < 3; round += 1) {
      await pools.run(exchange(leave))
      expect(await cell(pools, exchange(left))).toBe('on|')
      await pools.run(exchange(leave))
      const seen = await pools.transaction(request, async (tx) => (await tx.query(left)).rows[0]![0]?.toString())
      expect(seen).toBe('on|')
    }
  })

  test('an error is rolled back, and a read cannot write', async () => {
    const insert = (value: string) => sql('insert into counted values ($1)', value)
    const failed = pools.run(exchange([insert('undone'), sql('select 1 / $1::int', '0')], { access: 'write' }))
    await expect(failed).rejects.toMatchObject({ fields: { code: '22012' } })
    await pools.run(exchange([insert('done'), insert('done')], { access: 'write' }))
    expect(await cell(pools, exchange(sql(`select string_agg(claims, ',') from counted`)))).toBe('done,done')
    await expect(pools.run(exchange(insert('read')))).rejects.toMatchObject({ fields: { code: '25006' } })
  })

  test('a function that says so takes the server for no standby', async () => {
    const refuse = sql(`do $$ begin raise exception 'I refuse!' using errcode = '25006'; end $$`)
    const failed = pools.run(exchange(refuse, { access: 'write' }))
    await expect(failed).rejects.toMatchObject({ fields: { code: '25006', message: 'I refuse!' } })
  })

  test('transactions that look before they commit have claims and isolation too', async () => {
    const settings = [['request.jwt.claims', 'mine']] as const
    const request = { role: 'anon', access: 'read', isolation: 'serializable', settings, ...within(5_000) } as const
    const seen = await pools.transaction(request, async (tx) => {
      const { rows } = await tx.query(
        sql(`select concat(current_setting('request.jwt.claims'), ' ', current_setting('transaction_isolation'))`),
      )
      return rows[0]![0]?.toString()
    })
    expect(seen).toBe('mine serializable')
  })

  test('a role has the isolation that is its own', async () => {
    const isolated = cluster.pools({
      distributes: () => true,
      roleSettings: () => [['default_transaction_isolation', 'repeatable read']],
    })
    const asked = sql(`select current_setting('transaction_isolation')`)
    expect(await cell(isolated, exchange(asked))).toBe('repeatable read')
    const request = { role: 'anon', access: 'read', ...within(5_000) } as const
    const seen = await isolated.transaction(request, async (tx) => (await tx.query(asked)).rows[0]![0]?.toString())
    expect(seen).toBe('repeatable read')
  })

  test('whether they are is asked each time', async () => {
    distributes = false
    expect(await cell(pools, exchange(sql(`select current_setting('citus.propagate_set_commands', true)`)))).not.toBe(
      'local',
    )
    distributes = true
    expect(await cell(pools, exchange(sql(`select current_setting('citus.propagate_set_commands', true)`)))).toBe(
      'local',
    )
  })
})
