import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EmbeddedPostgresError } from './error.ts'
import type { Home } from './home-folder.ts'
import { identifyProcess, isAlive, runsCluster, type ProcessIdentity } from './process-identity.ts'

const fastStopMaxMs = 10_000
const immediateStopMaxMs = 10_000
const pollMs = 20

/**
 * Clears what a process that was killed has left: stops a server that still runs without its parent, and makes a pid
 * file whose number now belongs to another program harmless. Must run under the folder's lock: only then is a running
 * server an orphan.
 */
export async function clearOrphan(home: Home): Promise<void> {
  const file = path.join(home.data, 'postmaster.pid')
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const [pidLine = '', ...rest] = text.split('\n')
  const pid = Number(pidLine)
  const identity = Number.isInteger(pid) && pid > 0 ? identifyProcess(pid) : undefined
  if (identity !== undefined && runsCluster(pid, home.data)) return await stopOrphan(identity, home.data)
  // PostgreSQL would take any process of that number for the server, even a zombie that nobody has waited for. It
  // ignores its own parent's number, though. The rest of the file stays, because by the shared memory named there it
  // notices backends that outlive their postmaster.
  await writeFile(file, [process.pid, ...rest].join('\n'))
}

async function stopOrphan(identity: ProcessIdentity, data: string): Promise<void> {
  if (await endsAfter(identity, 'SIGINT', fastStopMaxMs)) return
  if (await endsAfter(identity, 'SIGQUIT', immediateStopMaxMs)) return
  throw new EmbeddedPostgresError(
    'folder_in_use',
    `process ${identity.pid}, a PostgreSQL server whose parent has died, still runs the database in ${data} and does not ` +
      `stop: run \`kill -9 ${identity.pid}\` and start again`,
    { facts: { pid: identity.pid, folder: data } },
  )
}

async function endsAfter(identity: ProcessIdentity, signal: NodeJS.Signals, waitMs: number): Promise<boolean> {
  try {
    process.kill(identity.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true
    throw error
  }
  for (let waitedMs = 0; waitedMs < waitMs; waitedMs += pollMs) {
    if (!isAlive(identity)) return true
    await sleep(pollMs)
  }
  return !isAlive(identity)
}
