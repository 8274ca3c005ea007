import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Cli } from '../cli.ts'
import { loadProject, shownPath } from '../project/load-project.ts'
import { toMigrationFileName } from '../project/migration-name.ts'

/** `pando migrate new <name>`: an empty migration, whose path is the result. */
export async function runMigrateNew(cli: Cli, args: { name: string }): Promise<void> {
  const project = await loadProject(cli)
  const file = join(project.migrationsFolder, toMigrationFileName(args.name, cli.now()))
  mkdirSync(project.migrationsFolder, { recursive: true })
  writeFileSync(file, `-- ${args.name}\n`, { flag: 'wx' })
  cli.terminal.result({ file }, () => shownPath(cli, file))
}
