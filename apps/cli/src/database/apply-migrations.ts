import { applyProjectMigrations, listProjectMigrations } from '@pando/postgres/migrations/project-migrations'
import type { ProjectMigration } from '@pando/postgres/migrations/project-migrations'
import type { Notice } from '@pando/postgres/migrations/session'

import { toSentence } from '../failure.ts'
import type { Project } from '../project/load-project.ts'
import { formatCount } from '../terminal/format.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { explainingErrors } from './explain-errors.ts'
import type { Database } from './open-database.ts'

/** Every migration that the folder or the database knows. */
export function listMigrations(project: Project, { url }: Database): Promise<ProjectMigration[]> {
  return explainingErrors(url, () => listProjectMigrations({ url, folder: project.migrationsFolder }))
}

/**
 * Applies the migrations that are new and returns their file names; see `applyProjectMigrations`. What PostgreSQL warns
 * of is shown.
 */
export async function applyMigrations(terminal: Terminal, project: Project, database: Database): Promise<string[]> {
  const { url } = database
  const { migrationsFolder: folder, root, settings } = project
  if (!settings.migrationsEnabled) return []
  const startedAt = performance.now()
  let running = ''
  const onStart = ({ title }: ProjectMigration) => {
    running = title
    terminal.say(terminal.paint('dim', `  ${title}`))
  }
  const onNotice = ({ severity, message, hint = '' }: Notice) => {
    if (severity === 'WARNING') terminal.warn(`${running}: ${toSentence(message)} ${hint}`.trimEnd())
  }
  const applied = await explainingErrors(url, () => applyProjectMigrations({ url, folder, root, onStart, onNotice }))
  if (applied.length > 0) {
    terminal.done(`${formatCount(applied.length, 'migration')} applied`, performance.now() - startedAt)
  }
  return applied.map(({ title }) => title)
}
