import type { Cli } from '../cli.ts'
import { applyMigrations } from '../database/apply-migrations.ts'
import { describeTarget, withDatabase } from '../database/open-database.ts'
import { loadSeed } from '../database/load-seed.ts'
import { prepareDatabase } from '../database/prepare-database.ts'
import { recreateDatabase } from '../database/recreate-database.ts'
import { readServed, rewriteTypes } from '../database/write-types.ts'
import { loadProject } from '../project/load-project.ts'
import { seedThroughApi } from '../server/run-seed-scripts.ts'
import { confirm } from '../terminal/confirm.ts'
import { formatCount, formatDuration } from '../terminal/format.ts'

/**
 * `pando migrate reset`: the database as the folder describes it, made from nothing. It may run beside `pando dev`,
 * whose server finds its connections closed, opens new ones and reads the new schema.
 */
export async function runMigrateReset(cli: Cli, args: { yes?: boolean; seed: boolean }): Promise<void> {
  const project = await loadProject(cli)
  await confirm(cli.terminal, `Delete everything in ${describeTarget(cli, project)}?`, args)
  const startedAt = performance.now()
  await withDatabase(cli, project, async (database) => {
    await recreateDatabase(database)
    await prepareDatabase(project, database)
    const applied = await applyMigrations(cli.terminal, project, database)
    const seeded = args.seed ? await loadSeed(cli.terminal, project, database) : []
    await rewriteTypes(cli, project, () => readServed(project, database))
    if (args.seed) await seedThroughApi(cli, project)
    cli.terminal.result(
      { applied, seeded },
      () =>
        `Reset: ${formatCount(applied.length, 'migration')} and ${formatCount(seeded.length, 'seed file')} in ${formatDuration(performance.now() - startedAt)}.`,
    )
  })
}
