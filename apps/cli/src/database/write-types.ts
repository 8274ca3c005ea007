import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import type { Cli } from '../cli.ts'
import { shownPath } from '../project/load-project.ts'
import type { Project } from '../project/load-project.ts'
import { findTypesFile } from '../project/project-files.ts'
import { withQueries } from './connect.ts'
import type { Database } from './open-database.ts'

/** The text of a module with the type `Database`, for the exposed schemas or the given ones. */
export async function renderTypes(project: Project, database: Database, schemas?: readonly string[]): Promise<string> {
  const [{ loadCatalogue }, { renderDatabaseTypes }] = await Promise.all([
    import('@pando/catalogue/load-catalogue'),
    import('@pando/catalogue/database-types'),
  ])
  const { apiSchemas, apiSearchPath } = project.settings
  const shown = schemas ?? apiSchemas
  const catalogue = await withQueries(database.url, (queries) =>
    loadCatalogue((text, values) => queries.query(text, values), {
      schemas: shown,
      extraSearchPath: apiSearchPath,
      generation: 1,
    }),
  )
  return `${renderDatabaseTypes(catalogue, { schemas: shown }).trimEnd()}\n`
}

/**
 * Brings the project's types file up to date, when it has one, and returns it if it changed: tools that watch the file
 * see real changes only.
 */
export async function rewriteTypes(cli: Cli, project: Project, database: Database): Promise<string | undefined> {
  const file = findTypesFile(project)
  if (file === undefined) return undefined
  const startedAt = performance.now()
  const text = await renderTypes(project, database)
  if (readText(file) === text) return undefined
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  cli.terminal.done(`${shownPath(cli, file)} written`, performance.now() - startedAt)
  return file
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
