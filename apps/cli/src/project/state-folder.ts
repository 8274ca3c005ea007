import { existsSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where everything that Pando makes for itself lives; never committed, safe to delete when nothing runs. */
export function stateFolder(root: string): string {
  return join(root, '.pando')
}

/** Makes `.pando/` with a `.gitignore` of its own, so that keys are not committed even where the project forgets it. */
export function ensureStateFolder(root: string): string {
  const folder = stateFolder(root)
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const ignore = join(folder, '.gitignore')
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n')
  return folder
}

/** Writes a file that only its owner may read; readers see the old text or the new one, never a part. */
export function writePrivateFile(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, text, { mode: 0o600 })
  renameSync(temporary, file)
}

/**
 * Writes such a file where there is none, and says whether it did: it is linked into place, which fails when it exists,
 * so of two processes at once one wins.
 */
export function createPrivateFile(file: string, text: string): boolean {
  const temporary = `${file}.${process.pid}.new`
  writeFileSync(temporary, text, { mode: 0o600 })
  try {
    linkSync(temporary, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}
