import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import type { Catalogue } from '@pando/catalogue/catalogue'

import type { Cli } from '../cli.ts'
import { shownPath } from '../project/load-project.ts'
import type { Project } from '../project/load-project.ts'
import { findTypesFile } from '../project/project-files.ts'
import { withQueries } from './connect.ts'
import type { Database } from './open-database.ts'

/** What an API serves, or would. */
export type Served = { readonly catalogue: Catalogue; readonly schemas: readonly string[] }

/** Reads the exposed schemas of a database, or the given ones. */
export async function readServed(project: Project, { url }: Database, schemas?: readonly string[]): Promise<Served> {
  const { loadCatalogue } = await import('@pando/catalogue/load-catalogue')
  const { apiSchemas, apiSearchPath: extraSearchPath } = project.settings
  const shown = schemas ?? apiSchemas
  const catalogue = await withQueries(url, (queries) =>
    loadCatalogue((text, values) => queries.query(text, values), { schemas: shown, extraSearchPath, generation: 1 }),
  )
  return { catalogue, schemas: shown }
}

/** The text of a module with the type `Database`. */
export async function renderTypes({ catalogue, schemas }: Served): Promise<string> {
  const { renderDatabaseTypes } = await import('@pando/catalogue/database-types')
  return `${renderDatabaseTypes(catalogue, { schemas }).trimEnd()}\n`
}

/**
 * Brings the project's types file up to date, when it has one, and returns it if it changed: tools that watch the file
 * see real changes only.
 */
export async function rewriteTypes(
  cli: Cli,
  project: Project,
  read: () => Promise<Served>,
): Promise<string | undefined> {
  const file = findTypesFile(project)
  if (file === undefined) return undefined
  const startedAt = performance.now()
  const text = await renderTypes(await read())
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
