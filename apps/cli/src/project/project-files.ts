import { existsSync, globSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

import type { Project } from './load-project.ts'

/** The project's seed files in the order of `db.seed.sql_paths`; files of one glob in the order of their names. */
export function listSeedFiles(project: Project): string[] {
  const { seedEnabled, seedPaths } = project.settings
  if (!seedEnabled) return []
  const files = seedPaths.flatMap((pattern) => globSync(pattern, { cwd: project.files }).sort())
  return [...new Set(files.map((file) => resolve(project.files, file)))].filter((file) => statSync(file).isFile())
}

const typesFileName = 'database.types.ts'

/**
 * The file that is rewritten whenever the schema changes: `types.output`, else the first `database.types.ts` that exists
 * in the project's root, its `src/`, or beside `config.toml`. Undefined: nobody asked for types.
 */
export function findTypesFile(project: Project): string | undefined {
  const { typesOutput } = project.settings
  if (typesOutput !== null) return resolve(project.files, typesOutput)
  const places = [project.root, join(project.root, 'src'), project.files]
  return places.map((place) => join(place, typesFileName)).find((file) => existsSync(file))
}
