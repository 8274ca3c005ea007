import { readCluster } from '@pando/sharding/cluster'
import { readShardStatus, type ShardStatus } from '@pando/sharding/status'

import type { Cli } from '../cli.ts'
import { withConnections } from '../database/connect.ts'
import { describeTarget, withDatabase } from '../database/open-database.ts'
import { loadProject } from '../project/load-project.ts'
import { mustBeCluster } from '../shard/read-plan.ts'
import { formatBytes, formatCount, formatTable } from '../terminal/format.ts'

/** `pando shard status`: what is where. */
export async function runShardStatus(cli: Cli): Promise<void> {
  const project = await loadProject(cli)
  await withDatabase(cli, project, ({ adminUrl }) =>
    withConnections(adminUrl, async (connections) => {
      const cluster = mustBeCluster(await readCluster(connections), describeTarget(cli, project))
      const status = await readShardStatus(connections)
      cli.terminal.result({ citus: cluster, ...status }, () => render(status))
    }),
  )
}

function render({ tables, nodes, moves }: ShardStatus): string {
  const tableRows = tables.map(({ table, kind, key, group, shards, bytes }) => [
    table,
    key === null ? kind : `by ${key}`,
    String(group),
    String(shards),
    formatBytes(bytes),
  ])
  const nodeRows = nodes.map(({ node, isActive, shards, bytes }) => [
    node,
    isActive ? 'active' : 'inactive',
    String(shards),
    formatBytes(bytes),
  ])
  const hint =
    moves.shards === 0
      ? 'In balance.'
      : `Out of balance: ${formatCount(moves.shards, 'shard')} (${formatBytes(moves.bytes)}) to move: select citus_rebalance_start();`
  return [
    ...formatTable(['Table', 'Place', 'Group', 'Shards', 'Size'], tableRows),
    '',
    ...formatTable(['Server', 'State', 'Shards', 'Size'], nodeRows),
    '',
    hint,
  ].join('\n')
}
