import { relative } from 'node:path'

import { runSeeds } from '@pando/postgres/migrations/run-seeds'

import type { Project } from '../project/load-project.ts'
import { listMissingSeeds, listSeedFiles } from '../project/project-files.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { explainingErrors } from './explain-errors.ts'
import type { Database } from './open-database.ts'
import { clearSeedDue } from './seed-mark.ts'

/** Loads the seed files in their order and returns them; of one that fails nothing stays. */
export async function loadSeed(terminal: Terminal, project: Project, { url, isEmbedded }: Database): Promise<string[]> {
  const files = listSeedFiles(project)
  const missing = listMissingSeeds(project)
  if (missing.length > 0) terminal.warn(`No file matches ${missing.join(', ')} of [db.seed] sql_paths in config.toml.`)
  const startedAt = performance.now()
  await explainingErrors(url, () => runSeeds({ url, files, root: project.root }))
  if (isEmbedded) clearSeedDue(project.root, 'seed')
  const names = files.map((file) => relative(project.files, file))
  if (names.length > 0) terminal.done(`${names.join(', ')} loaded`, performance.now() - startedAt)
  return files
}
