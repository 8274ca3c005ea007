import { randomBytes } from 'node:crypto'
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rm,
  rmdir,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { canReach, chooseAccount, type Account } from './account.ts'
import { copyBinaries, type Binaries } from './binaries.ts'
import { EmbeddedPostgresError } from './error.ts'

/** Where a cluster lives, who runs it and with which programs. */
export type Home = {
  /** The folder the caller named, links resolved; it belongs to us. Holds the password and the lock. */
  readonly folder: string
  /** PGDATA; it belongs to the account that runs PostgreSQL. */
  readonly data: string
  readonly sockets: string
  readonly account: Account | undefined
  readonly binaries: Binaries
}

/** Bytes in `sockaddr_un.sun_path`, less the terminating zero; macOS has the smaller one. */
const socketPathBytesMax = process.platform === 'linux' ? 107 : 103
const longestSocketName = '/.s.PGSQL.65535'

/**
 * Makes ready the folders of a cluster. When we are root and the unprivileged account cannot reach the folder (a home
 * is often closed to others), the folder becomes a link to one below `shelter`, and a copy of the binaries goes there
 * too. The link is the only name of that place: who deletes the link gets a new, empty cluster.
 */
export async function prepareHome(named: string, binaries: Binaries, shelter: string): Promise<Home> {
  const account = await chooseAccount(path.join(named, 'data'))
  const parent = path.dirname(path.resolve(named))
  await mkdir(parent, { recursive: true })
  const closed = account !== undefined && !(await canReach(account, (await realTarget(named)) ?? parent))
  if (closed) await shelterFolder(named, shelter)
  else await mkdir(named, { recursive: true })
  const folder = await realpath(named)
  if (path.dirname(folder) === shelter) await writeFile(path.join(folder, 'origin'), `${path.resolve(named)}\n`)
  await mustBeOurs(folder)
  // Whatever the umask: the account passes through to its folders inside.
  if (account !== undefined) await chmod(folder, 0o755)
  return {
    folder,
    data: path.join(folder, 'data'),
    sockets: await prepareSocketFolder(folder, account),
    account,
    binaries: await reachableBinaries(binaries, account, shelter),
  }
}

/** Somebody else's database would only fail later, with a text that says less. */
async function mustBeOurs(folder: string): Promise<void> {
  const uid = process.getuid?.()
  const owner = (await stat(path.join(folder, 'data')).catch(() => stat(folder))).uid
  if (uid === undefined || uid === 0 || uid === owner) return
  throw new EmbeddedPostgresError(
    'unusable_folder',
    `the database in ${folder} belongs to user id ${owner}, and this program runs as ${uid}: start it as that user or as ` +
      `root, or delete the folder to begin with an empty database`,
    { facts: { folder, owner, uid } },
  )
}

async function reachableBinaries(binaries: Binaries, account: Account | undefined, shelter: string): Promise<Binaries> {
  if (account === undefined || (await canReach(account, binaries.postgres))) return binaries
  await prepareShelter(shelter)
  return await copyBinaries(binaries, shelter)
}

/** Undefined when there is nothing, or a link to nothing. */
const realTarget = (named: string): Promise<string | undefined> => realpath(named).catch(() => undefined)

async function shelterFolder(named: string, shelter: string): Promise<void> {
  const present = await lstat(named).catch(() => undefined)
  // A link to nowhere: what it named was deleted, and with it the cluster.
  if (present?.isSymbolicLink() === true && (await realTarget(named)) === undefined) await rm(named)
  else if (present !== undefined) {
    await rmdir(named).catch(() => {
      throw unreachable(named)
    })
  }
  await prepareShelter(shelter)
  const project = path.basename(path.dirname(path.dirname(path.resolve(named)))).replaceAll(/[^\w.-]/g, '') || 'project'
  const target = path.join(shelter, `${project}-${randomBytes(6).toString('hex')}`)
  await mkdir(target)
  await symlink(target, named)
}

const unreachable = (folder: string): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'no_account',
    `PostgreSQL does not run as root, and the user it runs as cannot reach ${folder}: let others pass through the folders ` +
      'above it (`chmod o+x`), or move the project to a place that others can reach',
    { facts: { folder } },
  )

/** The shelter holds programs that we run: nobody else may write there. */
async function prepareShelter(shelter: string): Promise<void> {
  const made = await mkdir(shelter, { recursive: true })
  if (made !== undefined) await chmod(shelter, 0o755)
  const { uid, mode } = await stat(shelter)
  if (uid === process.getuid?.() && (mode & 0o022) === 0) return
  throw new EmbeddedPostgresError(
    'unusable_folder',
    `${shelter} must belong to root and be writable by root alone: run \`chown root ${shelter} && chmod 755 ${shelter}\``,
    { facts: { folder: shelter } },
  )
}

/** A path too long for a unix socket is replaced by a short folder with a stable name, closed to everybody else. */
async function prepareSocketFolder(folder: string, account: Account | undefined): Promise<string> {
  const wanted = path.join(folder, 'sockets')
  const fits = Buffer.byteLength(wanted + longestSocketName) <= socketPathBytesMax
  const sockets = fits ? wanted : path.join(tmpdir(), `pando-${await shortName(folder)}`)
  await mkdir(sockets, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  const found = await lstat(sockets)
  const owners = [process.getuid?.(), account?.uid]
  if (!found.isDirectory() || !owners.includes(found.uid)) {
    throw new EmbeddedPostgresError('unusable_folder', `${sockets} belongs to somebody else: delete it`, {
      facts: { folder: sockets },
    })
  }
  if (account !== undefined) await chown(sockets, account.uid, account.gid)
  await chmod(sockets, 0o700)
  return sockets
}

/** A random name, kept in the folder: a name that others could foresee, they could also create first. */
async function shortName(folder: string): Promise<string> {
  const file = path.join(folder, 'socket-name')
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  if (kept !== undefined && /^[0-9a-f]{12}$/.test(kept)) return kept
  const name = randomBytes(6).toString('hex')
  await writeFile(file, name, { mode: 0o600 })
  return name
}

/** A cluster in the shelter whose link is gone. */
export type Leftover = { readonly folder: string; readonly origin: string }

/**
 * What projects that were deleted have left in the shelter. Only a person can tell a deleted project from one that was
 * moved and not started since, so nothing is removed by itself.
 */
export async function listLeftovers(shelter: string): Promise<Leftover[]> {
  const names = await readdir(shelter).catch(() => [])
  const leftovers = await Promise.all(
    names.map(async (name): Promise<Leftover[]> => {
      const folder = path.join(shelter, name)
      const origin = (await readFile(path.join(folder, 'origin'), 'utf8').catch(() => '')).trim()
      return origin === '' || (await realTarget(origin)) === folder ? [] : [{ folder, origin }]
    }),
  )
  return leftovers.flat()
}
