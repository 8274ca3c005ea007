import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { openToAll } from './binaries.ts'
import type { Home } from './home-folder.ts'
import { quoteSetting, type Settings } from './settings.ts'

/**
 * Extensions that PostgreSQL leaves to superusers although they only add trigger functions, a kind of index and
 * distances on the globe. Projects create them in their migrations, so here whoever may create schemas may. What
 * reaches files, programs, other servers or the pages below the row policies stays with the superuser.
 */
export const freedExtensions = ['autoinc', 'bloom', 'earthdistance', 'insert_username', 'moddatetime'] as const

const ownExtensions = path.join(import.meta.dirname, '../../extensions')

/**
 * Puts our own extensions, and control files that make those above trusted (PostgreSQL documentation, "Extension
 * Files"), into a folder beside the cluster and returns the setting that puts it before PostgreSQL's own.
 */
export async function addExtensions({ folder, binaries }: Home): Promise<Settings> {
  // The setting is a list with colons between, and knows no way to write one that does not separate.
  if (folder.includes(':')) return {}
  const root = path.join(folder, 'extensions')
  const added = path.join(root, 'extension')
  await mkdir(added, { recursive: true })
  await cp(ownExtensions, added, { recursive: true, filter: (source) => !source.endsWith('.md') })
  const scripts = path.join(binaries.root, 'share/postgresql/extension')
  for (const name of freedExtensions) {
    const file = `${name}.control`
    // Scripts and libraries stay where they are.
    const more = `trusted = true\ndirectory = ${quoteSetting(scripts)}\n`
    await writeFile(path.join(added, file), (await readFile(path.join(scripts, file), 'utf8')) + more)
  }
  await openToAll(root)
  return { extension_control_path: `${root}:$system` }
}
