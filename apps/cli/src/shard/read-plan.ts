import type { Database as Connections } from '@pando/postgres/database'
import { type Cluster, readCluster } from '@pando/sharding/cluster'
import { readShardFacts } from '@pando/sharding/facts'
import { planShards } from '@pando/sharding/plan-shards'
import type { ShardDeclaration, ShardPlan } from '@pando/sharding/shard-plan'
import { type ShardStatement, toStatements } from '@pando/sharding/statements'

import { Failure } from '../failure.ts'
import type { Project } from '../project/load-project.ts'

/** A plan for the database as it is now, and what it takes to get there. */
export type Planned = {
  readonly cluster: Cluster | undefined
  readonly plan: ShardPlan
  readonly statements: readonly ShardStatement[]
}

/** Reads what there is. Throws a `Failure` when the project declares nothing. */
export async function readPlan(project: Project, connections: Connections): Promise<Planned> {
  const declaration = toDeclaration(project)
  const cluster = await readCluster(connections)
  const plan = planShards(await readShardFacts(connections, project.settings.apiSchemas), declaration)
  return { cluster, plan, statements: toStatements(plan, cluster?.logins) }
}

function toDeclaration({ settings, configFile }: Project): ShardDeclaration {
  const { shardKey: key, shardKeys, shardReference: reference, shardLocal: local } = settings
  if (key === null && shardKeys.length + reference.length === 0) {
    throw new Failure('project', 'The project declares no shard key.', {
      remedy: `Write the column that says whose each row is into ${configFile}: [shard] key = "tenant_id"`,
    })
  }
  const keys = new Map(
    shardKeys.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const),
  )
  return { key, keys, reference, local }
}

/** For commands that need what `plan` does without. */
export function mustBeCluster(cluster: Cluster | undefined, where: string): Cluster {
  if (cluster === undefined) {
    throw new Failure('database', `There is no Citus in ${where}.`, {
      remedy:
        'Name the coordinator of a Citus cluster by --db-url or DATABASE_URL, and run there: create extension citus; select citus_add_node(…) for each worker.',
    })
  }
  if (cluster.workers.every(({ isActive }) => !isActive)) {
    throw new Failure('database', `The coordinator knows no worker that is active.`, {
      remedy: "On the coordinator run: select citus_add_node('worker.internal', 5432);",
    })
  }
  return cluster
}
