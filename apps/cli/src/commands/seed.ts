import type { Cli } from '../cli.ts'
import { loadSeed } from '../database/load-seed.ts'
import { withDatabase } from '../database/open-database.ts'
import { Failure } from '../failure.ts'
import { loadProject } from '../project/load-project.ts'
import { listSeedFiles } from '../project/project-files.ts'
import { seedThroughApi } from '../server/run-seed-scripts.ts'
import { formatCount } from '../terminal/format.ts'

/** `pando seed`: loads the seed files into the database as it is. */
export async function runSeed(cli: Cli): Promise<void> {
  const project = await loadProject(cli)
  if (listSeedFiles(project).length === 0 && project.settings.seedScripts.length === 0) {
    throw new Failure('project', `No seed file matches ${project.settings.seedPaths.join(', ')} in ${project.files}.`, {
      remedy: 'Write seed.sql beside config.toml, or name the files in [db.seed] sql_paths.',
    })
  }
  const seeded = await withDatabase(cli, project, (database) => loadSeed(cli.terminal, project, database))
  await seedThroughApi(cli, project)
  cli.terminal.result({ seeded }, () => `${formatCount(seeded.length, 'seed file')} loaded.`)
}
