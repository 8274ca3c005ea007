import { randomBytes } from 'node:crypto'
import { chmod, chown, lstat, mkdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
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
 * Makes ready the folders of a cluster. When we are root and the unprivileged account cannot reach the folder (a home is
 * often closed to others), the folder becomes a link to one below `shelter`, and a copy of the binaries goes there too.
 * The link is the only name of that place: who deletes the link gets a new, empty cluster.
 */
export async function prepareHome(named: string, binaries: Binaries, shelter: string): Promise<Home> {
  const account = await chooseAccount(path.join(named, 'data'))
  await mkdir(path.dirname(path.resolve(named)), { recursive: true })
  if (account !== undefined && !(await canReach(account, await resolveLink(named)))) await shelterFolder(named, shelter)
  else await mkdir(named, { recursive: true })
  const folder = await realpath(named)
  return {
    folder,
    data: path.join(folder, 'data'),
    sockets: await prepareSocketFolder(folder, account),
    account,
    binaries: await reachableBinaries(binaries, account, shelter),
  }
}

async function reachableBinaries(binaries: Binaries, account: Account | undefined, shelter: string): Promise<Binaries> {
  if (account === undefined || (await canReach(account, binaries.postgres))) return binaries
  await prepareShelter(shelter)
  return await copyBinaries(binaries, shelter)
}

const resolveLink = (named: string): Promise<string> => realpath(named).catch(() => path.resolve(named))

async function shelterFolder(named: string, shelter: string): Promise<void> {
  const present = await lstat(named).catch(() => undefined)
  if (present?.isSymbolicLink() === true) {
    // A link to nowhere: what it named was deleted, and with it the cluster.
    if (await stat(named).catch(() => undefined)) throw unreachable(await realpath(named))
    await rm(named)
  } else if (present !== undefined) {
    if (await stat(path.join(named, 'data')).catch(() => undefined)) throw unreachable(named)
    await rm(named, { recursive: true })
  }
  await prepareShelter(shelter)
  const parent = path.basename(path.dirname(path.dirname(path.resolve(named)))).replaceAll(/[^\w.-]/g, '') || 'project'
  const target = path.join(shelter, `${parent}-${randomBytes(6).toString('hex')}`)
  await mkdir(target, { mode: 0o755 })
  await writeFile(path.join(target, 'origin'), `${path.resolve(named)}\n`)
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
  await mkdir(shelter, { recursive: true, mode: 0o755 })
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
