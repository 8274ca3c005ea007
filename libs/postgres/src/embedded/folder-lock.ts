import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { EmbeddedPostgresError } from './error.ts'
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'

type Holder = ProcessIdentity & { readonly program: string }

/**
 * Takes the folder for this process, or throws `EmbeddedPostgresError` (`folder_in_use`) that names the holder. A lock
 * whose process has died is taken over. The returned function gives the folder back.
 *
 * It is there for a good message and for knowing that a running PostgreSQL is an orphan; that two servers never write
 * the same files is guaranteed by PostgreSQL's own interlock.
 */
export async function lockFolder(folder: string, program: string): Promise<() => Promise<void>> {
  const file = path.join(folder, 'lock')
  const draft = path.join(folder, `lock.${process.pid}.${randomBytes(4).toString('hex')}`)
  const self: Holder = { ...(identifyProcess(process.pid) ?? { pid: process.pid, startedAs: '' }), program }
  await writeFile(draft, JSON.stringify(self), { mode: 0o644 })
  try {
    while (!(await linkIfFree(draft, file))) await removeStale(file)
  } finally {
    await rm(draft, { force: true })
  }
  return () => rm(file, { force: true })
}

/** Creating a hard link is atomic: of many at once, one succeeds, and what it names is complete. */
async function linkIfFree(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function removeStale(file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const holder = parseHolder(text)
  if (holder !== undefined && isAlive(holder)) throw inUse(path.dirname(file), holder)
  // Moved first and looked at again: between our look and the move, somebody else may have replaced the stale lock.
  const moved = `${file}.stale.${randomBytes(4).toString('hex')}`
  await rename(file, moved).catch(() => undefined)
  const same = await readFile(moved, 'utf8').then(
    (content) => content === text,
    () => true,
  )
  if (!same) await linkIfFree(moved, file)
  await rm(moved, { force: true })
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder>
    if (typeof holder.pid !== 'number' || typeof holder.startedAs !== 'string') return undefined
    return { pid: holder.pid, startedAs: holder.startedAs, program: String(holder.program) }
  } catch {
    return undefined
  }
}

const inUse = (folder: string, { pid, program }: Holder): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'folder_in_use',
    pid === process.pid
      ? `this process already runs the database in ${folder}: stop it before starting it again`
      : `the database in ${folder} is already run by process ${pid} (${program}): stop that one first, or use another folder`,
    { facts: { folder, pid, program } },
  )
