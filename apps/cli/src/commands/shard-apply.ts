import type { Database } from '@pando/postgres/database'
import { PostgresError } from '@pando/postgres/errors'
import { applyStatements } from '@pando/sharding/apply'
import type { ShardStatement } from '@pando/sharding/statements'

import type { Cli } from '../cli.ts'
import { withConnections } from '../database/connect.ts'
import { describeTarget, withDatabase } from '../database/open-database.ts'
import { Failure } from '../failure.ts'
import { loadProject } from '../project/load-project.ts'
import { mustBeCluster, readPlan } from '../shard/read-plan.ts'
import { isReady } from '../shard/render-plan.ts'
import { confirm } from '../terminal/confirm.ts'
import { formatCount } from '../terminal/format.ts'

/** `pando shard apply`: runs the statements of the plan; the result lists those that were run. */
export async function runShardApply(cli: Cli, args: { yes?: boolean }): Promise<void> {
  const project = await loadProject(cli)
  const target = describeTarget(cli, project)
  await withDatabase(cli, project, ({ adminUrl }) =>
    withConnections(adminUrl, async (connections) => {
      const planned = await readPlan(project, connections)
      const { cluster, statements } = planned
      mustBeCluster(cluster, target)
      if (!isReady(planned)) {
        throw new Failure('database', 'Something stands in the way of this plan.', { remedy: 'See: pando shard plan' })
      }
      if (statements.length > 0) {
        const tables = formatCount(statements.length, 'statement')
        await confirm(cli.terminal, `Run ${tables}, which move rows and lock their tables, on ${target}?`, args)
      }
      const applied = await apply(cli, connections, statements)
      cli.terminal.result({ applied }, () =>
        applied.length === 0
          ? 'Nothing to do: everything is where the plan has it.'
          : `${formatCount(applied.length, 'statement')} run.`,
      )
    }),
  )
}

async function apply(cli: Cli, connections: Database, statements: readonly ShardStatement[]): Promise<string[]> {
  const applied: string[] = []
  try {
    await applyStatements(connections, statements, ({ about, text }) => {
      applied.push(text)
      cli.terminal.done(about)
    })
    return applied
  } catch (error) {
    const failed = statements[applied.length]
    if (!(error instanceof PostgresError) || failed === undefined) throw error
    const { message, detail, hint } = error.fields
    const said = [message, detail, hint].filter((text) => text !== undefined).join(' ')
    throw new Failure('database', `${failed.about}: ${said}`, {
      remedy: `${formatCount(applied.length, 'statement')} run; the next apply goes on with this one.`,
      facts: { applied, failed: failed.text },
      cause: error,
    })
  }
}
