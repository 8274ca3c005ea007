import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { applyProjectMigrations, listProjectMigrations } from '@pando/postgres/migrations/project-migrations'
import type { ProjectMigration } from '@pando/postgres/migrations/project-migrations'

import type { Project } from '../project/load-project.ts'
import { isBlankSql } from '../project/sql-text.ts'
import { formatCount } from '../terminal/format.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { explainingErrors } from './explain-errors.ts'
import type { Database } from './open-database.ts'

/** Every migration that the folder or the database knows. */
export function listMigrations(project: Project, { url }: Database): Promise<ProjectMigration[]> {
  return explainingErrors(url, () => listProjectMigrations({ url, folder: project.migrationsFolder }))
}

/**
 * Applies the migrations that are new and returns their file names. Files without any statement wait: `pando migrate new`
 * has just made them, and once applied they could not be changed any more. They go along when another one is applied.
 */
export async function applyMigrations(terminal: Terminal, project: Project, database: Database): Promise<string[]> {
  const { url } = database
  const { migrationsFolder: folder, settings } = project
  if (!settings.migrationsEnabled || isNothingToRun(project, await listMigrations(project, database))) return []
  const startedAt = performance.now()
  const onStart = ({ title }: ProjectMigration) => terminal.say(terminal.paint('dim', `  ${title}`))
  const applied = await explainingErrors(url, () => applyProjectMigrations({ url, folder, onStart }))
  if (applied.length > 0) {
    terminal.done(`${formatCount(applied.length, 'migration')} applied`, performance.now() - startedAt)
  }
  return applied.map(({ title }) => title)
}

/** What is changed or missing is left to the runner, who explains it. */
function isNothingToRun({ migrationsFolder }: Project, migrations: readonly ProjectMigration[]): boolean {
  const isBlank = ({ title }: ProjectMigration) => isBlankSql(readFileSync(join(migrationsFolder, title), 'utf8'))
  return migrations.every(
    (migration) => migration.state === 'applied' || (migration.state === 'pending' && isBlank(migration)),
  )
}
