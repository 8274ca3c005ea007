import { afterAll, beforeAll, expect, test } from 'vitest'
import { runOwnWrites, countersSql, type OwnWritesRun } from '../testing/own-writes-run.ts'
import { startReplicatedCluster, type ReplicatedCluster } from '../testing/replicated-cluster.ts'
import { openHouse, rolesSql } from '../testing/replicated-house.ts'
import type { Servers } from './servers.ts'

/** `PANDO_TEST_OWN_WRITES=1000000` runs that many operations instead, with replicas that lag up to five seconds. */
const named = process.env['PANDO_TEST_OWN_WRITES']
const operations = named === undefined ? 6_000 : Number(named)
const isLong = named !== undefined

const run: OwnWritesRun = {
  callers: 50,
  operations,
  delayMsMax: isLong ? 5_000 : 200,
  redrawMs: isLong ? 3_000 : 100,
  random: Math.random,
}

let cluster: ReplicatedCluster
beforeAll(async () => {
  cluster = await startReplicatedCluster({ replicas: 2, sql: rolesSql + countersSql })
})
afterAll(() => cluster?.remove())

test(
  'nobody is shown less than they wrote, however much the replicas lag',
  async () => {
    const house = await openHouse(cluster)
    const found = await runOwnWrites(house, cluster.replicas, run)
    await house.close()
    if (isLong) process.stderr.write(`${JSON.stringify(found)}\n`)
    expect(found.violations).toBe(0)
    // A run that never asked a replica, or never one that lagged, has shown nothing.
    expect(found.readsByReplicas).toBeGreaterThan(operations / 100)
    expect(found.readsByReplicas).toBeLessThan(found.reads)
  },
  isLong ? 3_600_000 : 60_000,
)

test('the run finds who forgets what callers wrote', async () => {
  const forgets = (servers: Servers): Servers => ({ ...servers, commits: { ...servers.commits, neededBy: () => 0n } })
  const house = await openHouse(cluster, { spoil: forgets })
  const found = await runOwnWrites(house, cluster.replicas, {
    ...run,
    operations: 6_000,
    delayMsMax: 200,
    redrawMs: 100,
  })
  await house.close()
  expect(found.violations).toBeGreaterThan(0)
})
