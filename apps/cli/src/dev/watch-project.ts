import { relative, sep } from 'node:path'

import type { Project } from '../project/load-project.ts'

/** What a saved file means. */
export type Change = 'migrations' | 'seed' | 'config'

/** A file counts as saved when its size has been still for this long: editors write in several steps. */
const stillMs = 25

/** Folders below `config.toml`'s that are looked into: migrations/, seeds/ and what lies in them. */
const depth = 2

/**
 * Follows the project folder until it is closed; `onChange` gets one call a file. Resolves when it sees every change.
 */
export async function watchProject(
  project: Project,
  onChange: (change: Change, file: string) => void,
): Promise<{ close(): Promise<void> }> {
  const { watch } = await import('chokidar')
  const watcher = watch(project.files, {
    depth,
    ignoreInitial: true,
    awaitWriteFinish: { stabilityThreshold: stillMs, pollInterval: stillMs / 5 },
    ignored: (path, stats) => stats?.isFile() === true && toChange(project, path) === undefined,
  })
  watcher.on('all', (_, path) => {
    const change = toChange(project, path)
    if (change !== undefined) onChange(change, path)
  })
  await new Promise<void>((resolve, reject) => {
    watcher.once('ready', resolve)
    watcher.once('error', reject)
  })
  return { close: () => watcher.close() }
}

function toChange(project: Project, path: string): Change | undefined {
  if (path === project.configFile) return 'config'
  if (!path.endsWith('.sql')) return undefined
  return relative(project.files, path).split(sep)[0] === 'migrations' ? 'migrations' : 'seed'
}
