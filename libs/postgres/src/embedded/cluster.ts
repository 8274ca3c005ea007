import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Account } from './account.ts'
import { EmbeddedPostgresError } from './error.ts'
import type { Home } from './home-folder.ts'
import { renderSettings, type Settings } from './settings.ts'

export const superuser = 'supabase_admin'

/**
 * The C library's locale decides what full text search takes for a letter; the first one that this machine has is used.
 */
const characterLocales = ['C.UTF-8', 'en_US.UTF-8', 'C']

/**
 * Creates the cluster if the folder has none. It appears complete or not at all: initdb works in another folder, which
 * is renamed at the end. Returns the superuser's password and whether the cluster is new.
 */
export async function ensureCluster(
  home: Home,
  options: { readonly durable: boolean },
): Promise<{ password: string; created: boolean }> {
  const version = await readFile(path.join(home.data, 'PG_VERSION'), 'utf8').catch(ignoreMissing)
  if (version === undefined) return { password: await createCluster(home, options.durable), created: true }
  const major = home.binaries.version.split('.')[0]
  if (version.trim() !== major) throw wrongVersion(home.data, version.trim(), String(major))
  return { password: await readPassword(home.folder), created: false }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

async function createCluster(home: Home, durable: boolean): Promise<string> {
  const password = randomBytes(24).toString('base64url')
  await writeFile(passwordFile(home.folder), password, { mode: 0o600 })
  const draft = `${home.data}.new`
  await rm(draft, { recursive: true, force: true })
  await runInitdb(home, draft, { password, durable })
  await writeOwned(path.join(draft, 'postgresql.conf'), "include 'pando.conf'\n", { account: home.account, flag: 'a' })
  await rename(draft, home.data)
  return password
}

const passwordFile = (folder: string): string => path.join(folder, 'password')

async function readPassword(folder: string): Promise<string> {
  const file = passwordFile(folder)
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'unusable_folder',
      `${file}, the database's password, cannot be read: restore it, or delete ${folder} to begin with an empty database`,
      { cause, facts: { folder } },
    )
  }
}

const wrongVersion = (data: string, found: string, wanted: string): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'unusable_folder',
    `${data} was made by PostgreSQL ${found}, this is PostgreSQL ${wanted}: dump it with the old version and restore it ` +
      'here, or delete the folder to begin with an empty database',
    { facts: { folder: data, found, wanted } },
  )

async function runInitdb(
  home: Home,
  draft: string,
  { password, durable }: { password: string; durable: boolean },
): Promise<void> {
  const pwfile = path.join(home.folder, `initdb-password.${process.pid}`)
  await writeOwned(pwfile, password, { account: home.account, flag: 'wx' })
  try {
    let failure = ''
    for (const locale of characterLocales) {
      await mkdir(draft, { mode: 0o700 })
      if (home.account !== undefined) await chown(draft, home.account.uid, home.account.gid)
      const outcome = await run(home, [...initdbArguments(draft, pwfile, locale), ...(durable ? [] : ['--no-sync'])])
      if (outcome.code === 0) return
      failure = outcome.output
      await rm(draft, { recursive: true, force: true })
      if (!failure.includes('locale')) break
    }
    throw new EmbeddedPostgresError('initdb_failed', `PostgreSQL could not create a database:\n${failure.trim()}`)
  } finally {
    await rm(pwfile, { force: true })
  }
}

/** Collation by PostgreSQL itself (code points), so that an index is valid on any machine the folder is moved to. */
const initdbArguments = (draft: string, pwfile: string, locale: string): string[] => [
  `--pgdata=${draft}`,
  `--username=${superuser}`,
  `--pwfile=${pwfile}`,
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C',
  `--lc-ctype=${locale}`,
]

function run(home: Home, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(home.binaries.initdb, args, { ...spawnAs(home.account), stdio: ['ignore', 'ignore', 'pipe'] })
    let output = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}

/** A clean environment (variables such as PGPORT or LC_ALL would change what runs), and the account. */
export function spawnAs(account: Account | undefined): {
  uid?: number
  gid?: number
  cwd: string
  env: Record<string, string>
} {
  const ids = account === undefined ? {} : { uid: account.uid, gid: account.gid }
  return { ...ids, cwd: '/', env: { PATH: '/usr/local/bin:/usr/bin:/bin', TZ: 'UTC' } }
}

/** Writes the settings of this start. Not as arguments: `alter system` could not override those. */
export async function writeSettings(home: Home, settings: Settings): Promise<void> {
  const file = path.join(home.data, 'pando.conf')
  const text = renderSettings(settings)
  const present = await readFile(file, 'utf8').catch(() => undefined)
  if (present !== text) await writeOwned(file, text, { account: home.account, flag: 'w' })
}

async function writeOwned(
  file: string,
  text: string,
  { account, flag }: { account: Account | undefined; flag: 'w' | 'wx' | 'a' },
): Promise<void> {
  await writeFile(file, text, { mode: 0o600, flag })
  if (account !== undefined) await chown(file, account.uid, account.gid)
}
