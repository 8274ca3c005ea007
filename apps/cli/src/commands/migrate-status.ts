import type { ProjectMigration } from '@pando/postgres/migrations/project-migrations'

import type { Cli } from '../cli.ts'
import { listMigrations } from '../database/apply-migrations.ts'
import { withDatabase } from '../database/open-database.ts'
import { loadProject } from '../project/load-project.ts'
import { formatTable } from '../terminal/format.ts'

const explanations: Record<ProjectMigration['state'], string> = {
  applied: 'applied',
  pending: 'pending',
  changed: 'changed since it was applied',
  missing: 'applied, but its file is gone',
}

/** `pando migrate status`: every migration that is in the folder or in the database. */
export async function runMigrateStatus(cli: Cli): Promise<void> {
  const project = await loadProject(cli)
  const migrations = await withDatabase(cli, project, (database) => listMigrations(project, database))
  const rows = migrations.map(({ title, state }) => [title, explanations[state]])
  cli.terminal.result({ migrations }, () =>
    rows.length === 0
      ? 'No migrations. Make one with `pando migrate new <name>`.'
      : formatTable(['Migration', 'State'], rows).join('\n'),
  )
}
