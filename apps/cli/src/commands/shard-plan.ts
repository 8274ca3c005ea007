import type { Cli } from '../cli.ts'
import { withConnections } from '../database/connect.ts'
import { withDatabase } from '../database/open-database.ts'
import { Failure } from '../failure.ts'
import { loadProject } from '../project/load-project.ts'
import { readPlan } from '../shard/read-plan.ts'
import { isReady, renderPlan } from '../shard/render-plan.ts'

/** `pando shard plan`: where each table goes and why; ends like `doctor` when something needs work. */
export async function runShardPlan(cli: Cli): Promise<void> {
  const project = await loadProject(cli)
  const planned = await withDatabase(cli, project, ({ adminUrl }) =>
    withConnections(adminUrl, (connections) => readPlan(project, connections)),
  )
  const { plan, cluster, statements } = planned
  const value = {
    isReady: isReady(planned),
    citus: cluster ?? null,
    ...plan,
    statements: statements.map(({ text }) => text),
  }
  cli.terminal.result(value, () => renderPlan(cli.terminal, planned))
  if (!isReady(planned)) throw new Failure('fault', 'Something stands in the way of this plan.')
}
