import { countersSql, type OwnWritesFound, runOwnWrites } from '../../../libs/postgres/src/testing/own-writes-run.ts'
import { startReplicatedCluster } from '../../../libs/postgres/src/testing/replicated-cluster.ts'
import { openHouse, rolesSql } from '../../../libs/postgres/src/testing/replicated-house.ts'

/** Callers who read what they wrote, from two replicas that lag up to five seconds. */
export async function measureOwnWrites(operations: number): Promise<OwnWritesFound> {
  const cluster = await startReplicatedCluster({ replicas: 2, sql: rolesSql + countersSql })
  try {
    const house = await openHouse(cluster)
    const run = { callers: 50, operations, delayMsMax: 5_000, redrawMs: 3_000, random: Math.random }
    const found = await runOwnWrites(house, cluster.replicas, run)
    await house.close()
    return found
  } finally {
    await cluster.remove()
  }
}
