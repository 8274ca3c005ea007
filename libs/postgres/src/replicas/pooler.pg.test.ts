import { systemClock } from '@pando/core/clock'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cell, eventually, exchange, sql } from '../pipeline/test-cluster.ts'
import { isPoolerInstalled, startPooler, type TestPooler } from '../testing/pooler.ts'
import { startReplicatedCluster, type ReplicatedCluster } from '../testing/replicated-cluster.ts'
import { callerOf, rolesSql } from '../testing/replicated-house.ts'
import { createReplicatedPools } from './replicated-pools.ts'
import { defaultServersLimits, watchServers, type Servers } from './servers.ts'
import type { PipelinedPools } from '../pipeline/pools.ts'

if (!isPoolerInstalled) process.stderr.write('pooler.pg.test.ts is skipped: the program pgbouncer is not installed\n')

const whichServer = sql(`select case when pg_is_in_recovery() then 'replica' else 'primary' end`)
const portOf = (name: string): number => Number(name.split(':')[1])

describe.skipIf(!isPoolerInstalled)('behind pgbouncer in transaction mode', () => {
  let cluster: ReplicatedCluster
  let poolers: [primary: TestPooler, replica: TestPooler]
  let servers: Servers
  let pools: PipelinedPools

  beforeAll(async () => {
    const tables = 'create table notes (id int primary key); grant all on notes to anon;'
    cluster = await startReplicatedCluster({ replicas: 1, sql: rolesSql + tables })
    const start = (name: string) => startPooler({ serverPort: portOf(name), backendsMax: 3 })
    poolers = [await start(cluster.primary.name), await start(cluster.replicas[0]!.name)]
    const [primary, replica] = poolers
    servers = watchServers({
      candidates: [{ name: cluster.primary.name, url: cluster.primary.urlAs('authenticator') }],
      replicas: [replica],
      clock: systemClock,
      limits: { ...defaultServersLimits, intervalMs: 20 },
      prepares: false,
      observe: () => {},
    })
    await servers.start()
    pools = createReplicatedPools({
      url: primary.url,
      replicaUrls: [replica.url],
      applicationName: 'pando-test',
      mode: 'transactional',
      servers,
      observe: () => {},
    })
  })
  afterAll(async () => {
    await pools?.close()
    await servers?.stop()
    await Promise.all(poolers?.map((pooler) => pooler.stop()) ?? [])
    await cluster?.remove()
  })

  const serverOf = (caller: string) => cell(pools, exchange(whichServer, callerOf(caller)))
  const insert = (id: number) =>
    exchange(sql('insert into notes (id) values ($1)', String(id)), { access: 'write', ...callerOf('writer') })

  test('a read goes to the replica when that has what the caller wrote', async () => {
    await eventually(async () => (await serverOf('writer')) === 'replica')
    await cluster.replicas[0]!.query('select pg_wal_replay_pause()')
    const written = insert(1)
    await pools.run(written)
    expect(written.consistency!.committed).toBeTypeOf('bigint')
    expect([await serverOf('writer'), await serverOf('stranger')]).toEqual(['primary', 'replica'])
    await cluster.replicas[0]!.query('select pg_wal_replay_resume()')
    await eventually(async () => (await serverOf('writer')) === 'replica')
  })

  test('a write that comes to a server in recovery is an outage, and was not done', async () => {
    const misled = createReplicatedPools({
      url: poolers[1].url,
      replicaUrls: [],
      applicationName: 'pando-test',
      mode: 'transactional',
      servers,
      observe: () => {},
    })
    await expect(misled.run(insert(2))).rejects.toMatchObject({ name: 'PostgresUnavailable', sent: false })
    await misled.close()
  })
})
