import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'

/**
 * A process that is told apart from a later one with the same number: `startedAs` is opaque text that never changes
 * during a process's life and differs between two that share a pid.
 */
export type ProcessIdentity = { readonly pid: number; readonly startedAs: string }

/** The process that has this number now; undefined when there is none, or only a zombie. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startedAs = process.platform === 'linux' ? linuxStartTicks(pid) : ps(pid, 'lstart=')
  return startedAs === undefined ? undefined : { pid, startedAs }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startedAs === identity.startedAs
}

/**
 * Whether the process is a PostgreSQL server that runs the cluster in `dataFolder`: it works in that folder (Linux), or
 * was started with it (elsewhere, where the working folder of others is not shown).
 */
export function runsCluster(pid: number, dataFolder: string): boolean {
  if (process.platform !== 'linux') return ps(pid, 'command=')?.includes(dataFolder) ?? false
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === dataFolder
  } catch {
    return false
  }
}

/** Field 22 of /proc/PID/stat; the second field, the program's name, may itself hold blanks and parentheses. */
function linuxStartTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie holds nothing any more; it only waits for its parent to look.
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function ps(pid: number, column: string): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', column, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
    return text === '' ? undefined : text
  } catch {
    return undefined
  }
}
