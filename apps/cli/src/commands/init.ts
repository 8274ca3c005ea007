import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import type { Cli } from '../cli.ts'
import { Failure } from '../failure.ts'
import { findProject } from '../project/find-project.ts'
import { toMigrationFileName } from '../project/migration-name.ts'
import { shownPath } from '../project/load-project.ts'
import { ensureStateFolder } from '../project/state-folder.ts'
import { configToml, firstMigration, ignoredPaths, seedSql } from '../templates.ts'

/**
 * `pando init`: writes the files of a new project; never touches a file that is there, except to add to `.gitignore`.
 */
export async function runInit(cli: Cli): Promise<void> {
  const root = resolve(cli.workingFolder, cli.options.project ?? '.')
  refuseExisting(cli, root)
  const files = projectFiles(root, cli.now())
  for (const [file, text] of files) {
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, text, { flag: 'wx' })
    cli.terminal.done(shownPath(cli, file))
  }
  if (ignoreStateFolder(root))
    cli.terminal.done(`${shownPath(cli, join(root, '.gitignore'))} ignores .pando/ and .env files`)
  ensureStateFolder(root)
  const { ensureKeys } = await import('../project/keys.ts')
  await ensureKeys({ kind: 'pando', root, files: join(root, 'pando') }, cli.now())
  const next = root === cli.workingFolder ? 'pando dev' : `pando dev --project ${shownPath(cli, root)}`
  cli.terminal.result(
    { project: root, files: files.map(([file]) => file) },
    () => `A new project is in ${root}. Start it with: ${next}`,
  )
}

function refuseExisting(cli: Cli, root: string): void {
  const existing = findProject(root, { upwards: false })
  const folder = existing?.files ?? (existsSync(join(root, 'pando')) ? join(root, 'pando') : undefined)
  if (folder === undefined) return
  throw new Failure('project', `${shownPath(cli, folder)} exists already; init does not overwrite it.`, {
    remedy:
      existing === undefined
        ? 'Name another folder with --project DIR.'
        : 'Start it with `pando dev`, or name another folder with --project DIR.',
  })
}

function projectFiles(root: string, now: Date): [file: string, text: string][] {
  const folder = join(root, 'pando')
  return [
    [join(folder, 'config.toml'), configToml],
    [join(folder, 'migrations', toMigrationFileName('create notes', now)), firstMigration],
    [join(folder, 'seed.sql'), seedSql],
  ]
}

/** Adds what is missing to the project's `.gitignore`; true when it changed. */
function ignoreStateFolder(root: string): boolean {
  const file = join(root, '.gitignore')
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const present = new Set(text.split('\n').map((line) => line.trim()))
  const missing = ignoredPaths.filter((path) => !present.has(path))
  if (missing.length === 0) return false
  appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`)
  return true
}
