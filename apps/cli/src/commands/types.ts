import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

import type { Cli } from '../cli.ts'
import { withDatabase } from '../database/open-database.ts'
import { readServed, renderTypes } from '../database/write-types.ts'
import { loadProject, shownPath } from '../project/load-project.ts'

/** `pando types`: the `Database` type for `createClient<Database>()`, to standard output or a file. */
export async function runTypes(cli: Cli, args: { output?: string; schema?: string[] }): Promise<void> {
  const project = await loadProject(cli)
  const served = await withDatabase(cli, project, (database) => readServed(project, database, args.schema))
  const text = await renderTypes(served)
  if (args.output === undefined) return cli.terminal.result({ types: text }, () => text.trimEnd())
  const file = resolve(cli.workingFolder, args.output)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  cli.terminal.result({ file }, () => `${shownPath(cli, file)} written.`)
}
