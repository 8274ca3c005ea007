import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** Which conventions a project follows: our own, or those of a project that already has a `supabase/` folder. */
export type ProjectKind = 'pando' | 'supabase'

/** Where a project lives. All paths are absolute. */
export type ProjectFolder = {
  readonly kind: ProjectKind
  /** The folder that holds `pando/` or `supabase/`; `.pando/` (cluster, keys, state) is made here. */
  readonly root: string
  /** The folder with `config.toml`, `migrations/` and `seed.sql`. */
  readonly files: string
}

const kinds: readonly ProjectKind[] = ['pando', 'supabase']
const signs = ['config.toml', 'migrations', 'seed.sql']

/**
 * The project of `start`: a `pando/` or `supabase/` folder in it (in this order), or `start` itself when it is
 * one. With `upwards` (the user named no folder) the parents are searched too, as git does. Undefined when there is
 * none.
 */
export function findProject(start: string, options: { upwards: boolean }): ProjectFolder | undefined {
  let folder = resolve(start)
  for (;;) {
    const found = projectAt(folder, !options.upwards)
    if (found !== undefined || !options.upwards) return found
    const parent = dirname(folder)
    if (parent === folder) return undefined
    folder = parent
  }
}

function projectAt(folder: string, isNamed: boolean): ProjectFolder | undefined {
  for (const kind of kinds) {
    const files = join(folder, kind)
    if (looksLikeProject(files)) return { kind, root: folder, files }
  }
  const kind = kinds.find((name) => name === basename(folder))
  if (kind !== undefined && existsSync(join(folder, 'config.toml')))
    return { kind, root: dirname(folder), files: folder }
  // A `config.toml` under another name may belong to any tool, so it counts only in a folder that the user named.
  if (isNamed && existsSync(join(folder, 'config.toml'))) return { kind: 'pando', root: folder, files: folder }
  return undefined
}

function looksLikeProject(folder: string): boolean {
  return (
    statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true &&
    signs.some((sign) => existsSync(join(folder, sign)))
  )
}
