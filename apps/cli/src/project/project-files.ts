import { existsSync, globSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

import type { Project } from './load-project.ts'

/** The project's seed files in the order of `db.seed.sql_paths`; files of one glob in the order of their names. */
export function listSeedFiles(project: Project): string[] {
  const { seedEnabled, seedPaths } = project.settings
  return seedEnabled ? [...new Set(seedPaths.flatMap((pattern) => listMatches(project, pattern)))] : []
}

/**
 * What `db.seed.sql_paths` asks for and is not there. A new project has the default path, and need not have the file.
 */
export function listMissingSeeds(project: Project): string[] {
  const { seedEnabled, seedPaths } = project.settings
  if (!seedEnabled || !project.file.explicit.has('db.seed.sql_paths')) return []
  return seedPaths.filter((pattern) => listMatches(project, pattern).length === 0)
}

function listMatches({ files: cwd }: Project, pattern: string): string[] {
  const paths = globSync(pattern, { cwd }).sort()
  return paths.map((path) => resolve(cwd, path)).filter((path) => statSync(path).isFile())
}

const typesFileName = 'database.types.ts'

/**
 * The file that is rewritten whenever the schema changes: `types.output`, else the first `database.types.ts` that
 * exists in the project's root, its `src/`, or beside `config.toml`. Undefined: nobody asked for types.
 */
export function findTypesFile(project: Project): string | undefined {
  const { typesOutput } = project.settings
  if (typesOutput !== null) return resolve(project.files, typesOutput)
  const places = [project.root, join(project.root, 'src'), project.files]
  return places.map((place) => join(place, typesFileName)).find((file) => existsSync(file))
}
