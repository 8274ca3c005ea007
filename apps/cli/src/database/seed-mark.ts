import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { ensureStateFolder, stateFolder } from '../project/state-folder.ts'

/** SQL goes into the database before the server starts; scripts call the API, so they come after. */
export type SeedPart = 'seed' | 'seed-scripts'

/**
 * A file that is there from before the embedded database is made until that part of its seed is loaded. So a first
 * start that was killed or met a failing migration does not lose the seed, and no later start loads it twice.
 */
const markOf = (folder: string, part: SeedPart): string => join(folder, `${part}-is-due`)

export function markSeedDue(root: string, part: SeedPart): void {
  writeFileSync(markOf(ensureStateFolder(root), part), '')
}

export function isSeedDue(root: string, part: SeedPart): boolean {
  return existsSync(markOf(stateFolder(root), part))
}

export function clearSeedDue(root: string, part: SeedPart): void {
  rmSync(markOf(stateFolder(root), part), { force: true })
}
