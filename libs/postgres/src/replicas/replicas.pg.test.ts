import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Statement } from '../exchange.ts'
import { beyondEveryLsn, parseLsn } from '../lsn.ts'
import { cell, eventually, exchange, sql, within } from '../pipeline/test-cluster.ts'
import { startReplicatedCluster, type ReplicatedCluster } from '../testing/replicated-cluster.ts'
import { callerOf, openHouse, rolesSql, type ReplicatedHouse } from '../testing/replicated-house.ts'

const write = { access: 'write' as const }
const whichServer = sql(`select case when pg_is_in_recovery() then 'replica' else 'primary' end`)

let cluster: ReplicatedCluster
let house: ReplicatedHouse

beforeAll(async () => {
  cluster = await startReplicatedCluster({
    replicas: 2,
    sql: `${rolesSql} create table notes (id int primary key, text text); grant all on notes to anon;`,
  })
  house = await openHouse(cluster)
  await eventually(async () => (await serverOf('starter')) === 'replica')
})
afterAll(async () => {
  await house?.close()
  await cluster?.remove()
})

const pause = (how: 'pause' | 'resume') =>
  Promise.all(cluster.replicas.map((replica) => replica.query(`select pg_wal_replay_${how}()`)))

/** Where a read of this caller is answered. */
const serverOf = (caller: string) => cell(house.pools, exchange(whichServer, callerOf(caller)))

let lastId = 0
const insert = () => sql('insert into notes (id) values ($1)', String(++lastId))

describe('a read', () => {
  test('of a caller who wrote nothing is answered by replicas, in turns', async () => {
    const port = sql('select current_setting($1)', 'port')
    const ports = new Set<string | null>()
    for (let i = 0; i < 20; i++) ports.add(await cell(house.pools, exchange(port, callerOf('reader'))))
    expect(ports.size).toBe(2)
  })

  test('of nobody in particular is answered by the primary', async () => {
    expect(await cell(house.pools, exchange(whichServer))).toBe('primary')
  })

  test('after a write is answered by the primary until a replica has replayed it, others by replicas', async () => {
    await pause('pause')
    await house.pools.run(exchange(insert(), { ...write, ...callerOf('writer') }))
    expect(await serverOf('writer')).toBe('primary')
    expect(await serverOf('stranger')).toBe('replica')
    await pause('resume')
    await eventually(async () => (await serverOf('writer')) === 'replica')
  })

  test('after a transaction that looked before it committed is treated alike', async () => {
    await pause('pause')
    const request = { role: 'anon', ...write, ...within(5_000), ...callerOf('looker') }
    await house.pools.transaction(request, async (tx) => {
      await tx.query(insert())
    })
    expect(request.consistency.committed).toBeTypeOf('bigint')
    expect(await serverOf('looker')).toBe('primary')
    await pause('resume')
    await eventually(async () => (await serverOf('looker')) === 'replica')
  })

  test('after a write that failed or was rolled back is answered as before', async () => {
    await pause('pause')
    const failed = exchange([insert(), sql('select 1 / $1::int', '0')], { ...write, ...callerOf('failer') })
    await expect(house.pools.run(failed)).rejects.toMatchObject({ fields: { code: '22012' } })
    const request = { role: 'anon', ...write, ...within(5_000), ...callerOf('failer') }
    await house.pools.transaction(request, async (tx) => {
      await tx.query(insert())
      return tx.rollback(undefined)
    })
    expect(failed.consistency?.committed).toBeUndefined()
    expect(request.consistency.committed).toBeUndefined()
    expect(await serverOf('failer')).toBe('replica')
    await pause('resume')
  })

  test('that shows a place is answered from there on, in a process that knows nothing of the write', async () => {
    await pause('pause')
    const written = exchange(insert(), { ...write, ...callerOf('here') })
    await house.pools.run(written)
    const atLeast = written.consistency!.committed!
    const elsewhere = (lsn: bigint) => ({ consistency: { caller: 'there', atLeast: lsn } })
    expect(await cell(house.pools, exchange(whichServer, elsewhere(atLeast)))).toBe('primary')
    expect(await cell(house.pools, exchange(whichServer, elsewhere(1n)))).toBe('replica')
    expect(await cell(house.pools, exchange(whichServer, elsewhere(beyondEveryLsn)))).toBe('primary')
    await pause('resume')
    await eventually(async () => (await cell(house.pools, exchange(whichServer, elsewhere(atLeast)))) === 'replica')
  })

  test('sees what was committed without waiting for the disk', async () => {
    const async = sql(`select set_config('synchronous_commit', 'off', true)`)
    const written = exchange([async, insert()], { ...write, ...callerOf('hasty') })
    await house.pools.run(written)
    const [row] = await cluster.primary.query('select pg_current_wal_insert_lsn()::text as lsn')
    expect(written.consistency!.committed).toBeLessThanOrEqual(parseLsn(String(row!['lsn']))!)
    expect(await cell(house.pools, exchange(sql('select max(id) from notes'), callerOf('hasty')))).toBe(String(lastId))
  })

  test('after a write whose answer was lost is answered by the primary', async () => {
    const slow = exchange([insert(), sql('select pg_sleep(60)')], { ...write, ...callerOf('doubter') })
    const lost = house.pools.run(slow).catch((error: unknown) => error)
    const end = `select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'`
    await eventually(async () => (await cluster.primary.query(end)).length > 0)
    expect(await lost).toMatchObject({ name: 'PostgresUnavailable', sent: true })
    expect(await serverOf('doubter')).toBe('primary')
    expect(await serverOf('stranger')).toBe('replica')
  })

  test('after a write whose place could not be told is answered by the primary, and the next write tells it again', async () => {
    const narrow = await openHouse(cluster, { pools: { limits: { writeConnectionsMax: 1 } } })
    const tell = async (...statements: Statement[]) => {
      const wanted = exchange(statements, { ...write, ...callerOf('teller') })
      await narrow.pools.run(wanted)
      return wanted.consistency!.committed
    }
    expect(await tell(insert())).toBeTypeOf('bigint')
    expect(await tell(insert(), sql('deallocate all'))).toBeUndefined()
    expect(await cell(narrow.pools, exchange(whichServer, callerOf('teller')))).toBe('primary')
    expect(await tell(insert())).toBeTypeOf('bigint')
    await narrow.close()
  })

  test('by a process that has just started shows nothing older than its start', async () => {
    await pause('pause')
    await cluster.primary.query(`insert into notes (id) values (${++lastId})`)
    const young = await openHouse(cluster)
    const found = () => cell(young.pools, exchange(sql('select max(id) from notes'), callerOf('anybody')))
    expect(await found()).toBe(String(lastId))
    await pause('resume')
    await eventually(async () => (await cell(young.pools, exchange(whichServer, callerOf('anybody')))) === 'replica')
    expect(await found()).toBe(String(lastId))
    await young.close()
  })

  test('that a replica cannot answer is answered by the primary', async () => {
    await pause('pause')
    await cluster.primary.query('create table later (); grant all on later to anon')
    const before = house.observations.length
    expect(await cell(house.pools, exchange(sql('select count(*) from later'), callerOf('early')))).toBe('0')
    expect(house.observations.slice(before)).toContainEqual(
      expect.objectContaining({ kind: 'read.repeated', why: 'failed' }),
    )
    await pause('resume')
  })

  test('that is wrong everywhere is refused once', async () => {
    const before = house.count('read.repeated')
    const wrong = exchange(sql('select 1 / $1::int', '0'), callerOf('wrong'))
    await expect(house.pools.run(wrong)).rejects.toMatchObject({ fields: { code: '22012' } })
    expect(house.count('read.repeated')).toBe(before)
  })

  test('asks the replica itself how far it is, whatever was seen of it', async () => {
    await pause('pause')
    const liar = await openHouse(cluster, {
      spoil: (servers) => ({ ...servers, replayed: () => beyondEveryLsn }),
    })
    await liar.pools.run(exchange(insert(), { ...write, ...callerOf('trusting') }))
    const found = await cell(liar.pools, exchange(sql('select max(id) from notes'), callerOf('trusting')))
    expect(found).toBe(String(lastId))
    expect(liar.observations).toContainEqual({ kind: 'read.repeated', why: 'behind' })
    await liar.close()
    await pause('resume')
  })
})

test('a replica that lags more than it may answers nobody, and comes back by itself', async () => {
  const strict = await openHouse(cluster, { limits: { lagMsMax: 100 } })
  const where = () => cell(strict.pools, exchange(whichServer, callerOf('anybody')))
  await eventually(async () => (await where()) === 'replica')
  await pause('pause')
  await cluster.primary.query(`insert into notes (id) values (${++lastId})`)
  await eventually(async () => (await where()) === 'primary')
  await pause('resume')
  await eventually(async () => (await where()) === 'replica')
  expect(strict.count('read.repeated')).toBe(0)
  await strict.close()
})

test('a replica that is gone is left out, and comes back by itself', async () => {
  const [first, second] = cluster.replicas
  await first!.kill()
  const readAgainAndAgain = async (): Promise<unknown[]> => {
    const servers: unknown[] = []
    for (let i = 0; i < 20; i++) servers.push(await serverOf('reader'))
    return servers
  }
  // Until it is known to be gone, some reads go to the primary.
  await expect.poll(readAgainAndAgain, { timeout: 10_000 }).toEqual(Array.from({ length: 20 }, () => 'replica'))
  await second!.stop()
  await eventually(async () => (await serverOf('reader')) === 'primary')
  await first!.start()
  await second!.start()
  await eventually(async () => (await serverOf('reader')) === 'replica')
})

test('a server of another database is not asked', async () => {
  const other = await startReplicatedCluster({ replicas: 1, sql: rolesSql })
  const mixed = await openHouse(cluster, { replicas: other.replicas })
  for (let i = 0; i < 20; i++) expect(await cell(mixed.pools, exchange(whichServer, callerOf('any')))).toBe('primary')
  await mixed.close()
  await other.remove()
})

test('who is answered by no replica gets no further statement', async () => {
  const plain = await openHouse(cluster, { replicas: [] })
  const written = exchange(insert(), { ...write, ...callerOf('plain') })
  await plain.pools.run(written)
  expect(written.consistency!.committed).toBeUndefined()
  await plain.close()
})
