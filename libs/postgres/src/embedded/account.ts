import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { EmbeddedPostgresError } from './error.ts'

/** The operating system's user that PostgreSQL runs as; it refuses to run as root. */
export type Account = { readonly name: string; readonly uid: number; readonly gid: number }

const preferredNames = ['postgres', '_postgres', 'nobody', 'daemon']

/**
 * Who runs PostgreSQL: we ourselves (undefined), or, when we are root, the owner of an existing data folder, otherwise
 * an unprivileged user of this machine. Throws `EmbeddedPostgresError` (`no_account`) when there is none.
 */
export async function chooseAccount(dataFolder: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const accounts = parsePasswd(await readFile('/etc/passwd', 'utf8').catch(() => ''))
  const owner = await stat(dataFolder).then(
    ({ uid }) => (uid === 0 ? undefined : uid),
    () => undefined,
  )
  if (owner !== undefined) {
    const account = accounts.find(({ uid }) => uid === owner)
    if (account !== undefined) return account
    throw new EmbeddedPostgresError(
      'no_account',
      `the database in ${dataFolder} belongs to user id ${owner}, which /etc/passwd does not know, and PostgreSQL does not ` +
        'run as root: add that user, or `chown -R` the folder to one that exists',
      { facts: { folder: dataFolder, uid: owner } },
    )
  }
  for (const name of preferredNames) {
    const account = accounts.find((candidate) => candidate.name === name)
    if (account !== undefined) return account
  }
  throw new EmbeddedPostgresError(
    'no_account',
    `PostgreSQL does not run as root, and this machine has none of the users ${preferredNames.join(', ')}: ` +
      'create one (`useradd --system postgres`), run as another user, or set DATABASE_URL',
  )
}

/** The unprivileged users in the text of /etc/passwd. */
export function parsePasswd(text: string): Account[] {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 7 && /^\d+$/.test(fields[2] ?? '') && /^\d+$/.test(fields[3] ?? ''))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid }) => uid !== 0)
}

/**
 * Whether `account` can reach `target`: it may pass through every folder above, and read and pass the target itself if
 * that exists. Judged by owner and mode bits.
 */
export async function canReach(account: Account, target: string): Promise<boolean> {
  const resolved = path.resolve(target)
  const folders: string[] = []
  for (let folder = path.dirname(resolved); ; folder = path.dirname(folder)) {
    folders.push(folder)
    if (folder === path.dirname(folder)) break
  }
  for (const folder of folders) if (!(await allows(account, folder, 0o1))) return false
  return await allows(account, resolved, 0o5)
}

async function allows({ uid, gid }: Account, file: string, wanted: number): Promise<boolean> {
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) return true
  const shift = found.uid === uid ? 6 : found.gid === gid ? 3 : 0
  return ((found.mode >> shift) & wanted) === wanted
}
