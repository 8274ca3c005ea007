import { hash, randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EmbeddedPostgresError } from './error.ts'
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'

type Holder = ProcessIdentity & { readonly program: string }

/** How long one waits for somebody who is removing a dead lock. */
const pauseMs = 5

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
    while (!(await linkIfFree(draft, file))) await removeStale(file, draft)
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

/** Throws when the holder lives; otherwise the lock is gone, or somebody else is about to remove it. */
async function removeStale(file: string, draft: string): Promise<void> {
  const text = await readText(file)
  if (text === undefined) return
  const holder = parseHolder(text)
  if (holder !== undefined && isAlive(holder)) throw inUse(path.dirname(file), holder)
  await removeDead(file, { text, draft })
}

type Dead = { readonly text: string; readonly draft: string }

/**
 * Only who has the mark of a dead lock may remove it: otherwise somebody who looked earlier would remove the lock that has
 * taken its place. Who died with the mark is removed in the same way.
 */
async function removeDead(file: string, { text, draft }: Dead): Promise<void> {
  const mark = `${file}.${hash('sha256', text).slice(0, 16)}`
  if (await linkIfFree(draft, mark)) {
    if ((await readText(file)) === text) await rm(file)
    return rm(mark)
  }
  const other = await readText(mark)
  if (other === undefined) return
  const holder = parseHolder(other)
  if (holder !== undefined && isAlive(holder)) await sleep(pauseMs)
  else await removeDead(mark, { text: other, draft })
}

const readText = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined)

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
