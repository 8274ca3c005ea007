import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { ensureStateFolder, stateFolder } from '../project/state-folder.ts'

/**
 * A file that is there from before the embedded database is made until its seed is loaded. So a first start that was
 * killed or met a failing migration does not lose the seed, and no later start loads it twice.
 */
const markOf = (folder: string): string => join(folder, 'seed-is-due')

export function markSeedDue(root: string): void {
  writeFileSync(markOf(ensureStateFolder(root)), '')
}

export function isSeedDue(root: string): boolean {
  return existsSync(markOf(stateFolder(root)))
}

export function clearSeedDue(root: string): void {
  rmSync(markOf(stateFolder(root)), { force: true })
}
