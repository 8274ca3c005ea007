import { watch } from 'node:fs'
import { basename, dirname } from 'node:path'

import { ensureStateFolder } from '../project/state-folder.ts'
import { signingKeysFile } from '../project/signing-keys.ts'

/** Calls `onChange` whenever the project's own signing keys were replaced, until `close`. */
export function followSigningKeys(root: string, onChange: () => void): { close(): void } {
  const file = signingKeysFile(root)
  ensureStateFolder(root)
  // The folder, not the file: a new file takes the place of the old one.
  const watcher = watch(dirname(file), (_, name) => {
    if (name === basename(file)) onChange()
  })
  return { close: () => watcher.close() }
}
