import { applyProjectMigrations, listProjectMigrations } from '@pando/postgres/migrations/project-migrations'
import type { ProjectMigration } from '@pando/postgres/migrations/project-migrations'

import type { Project } from '../project/load-project.ts'
import { formatCount } from '../terminal/format.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { explainingErrors } from './explain-errors.ts'
import type { Database } from './open-database.ts'

/** Every migration that the folder or the database knows. */
export function listMigrations(project: Project, { url }: Database): Promise<ProjectMigration[]> {
  return explainingErrors(url, () => listProjectMigrations({ url, folder: project.migrationsFolder }))
}

/** Applies the migrations that are new and returns their file names; see `applyProjectMigrations`. */
export async function applyMigrations(terminal: Terminal, project: Project, database: Database): Promise<string[]> {
  const { url } = database
  const { migrationsFolder: folder, root, settings } = project
  if (!settings.migrationsEnabled) return []
  const startedAt = performance.now()
  const onStart = ({ title }: ProjectMigration) => terminal.say(terminal.paint('dim', `  ${title}`))
  const applied = await explainingErrors(url, () => applyProjectMigrations({ url, folder, root, onStart }))
  if (applied.length > 0) {
    terminal.done(`${formatCount(applied.length, 'migration')} applied`, performance.now() - startedAt)
  }
  return applied.map(({ title }) => title)
}
