import type { Cli } from '../cli.ts'
import { applyMigrations } from '../database/apply-migrations.ts'
import { withDatabase } from '../database/open-database.ts'
import { prepareDatabase } from '../database/prepare-database.ts'
import { readServed, rewriteTypes } from '../database/write-types.ts'
import { loadProject } from '../project/load-project.ts'
import { formatCount } from '../terminal/format.ts'

/** `pando migrate up`: applies what is new; the result lists it. */
export async function runMigrateUp(cli: Cli): Promise<void> {
  const project = await loadProject(cli)
  await withDatabase(cli, project, async (database) => {
    await prepareDatabase(project, database)
    const applied = await applyMigrations(cli.terminal, project, database)
    if (applied.length > 0) await rewriteTypes(cli, project, () => readServed(project, database))
    cli.terminal.result({ applied }, () =>
      applied.length === 0
        ? 'Nothing to apply: the database is up to date.'
        : `${formatCount(applied.length, 'migration')} applied.`,
    )
  })
}
