import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { identifyProcess } from '../embedded/process-identity.ts'
import type { EmbeddedPostgresOptions } from '../embedded/start.ts'

/** A cluster run by another process, so that a test can kill that. */
export type HeldCluster = {
  readonly child: ChildProcess
  /** What the program wrote: where the cluster is, or why it did not start. */
  readonly answer: { url: string; pid: number; socketFolder: string; code?: string; message?: string }
  /** Ends the program as SIGTERM does: the cluster is stopped. */
  stop(): Promise<void>
}

const program = path.join(import.meta.dirname, 'hold-cluster.ts')

/** Starts a cluster in a process of its own, as `user` when given (we must be root then). */
export async function holdCluster(
  options: Omit<EmbeddedPostgresOptions, 'onLog'>,
  user?: { readonly uid: number; readonly gid: number },
): Promise<HeldCluster> {
  const child = spawn(process.execPath, [program, JSON.stringify(options)], {
    ...user,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const first = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exit])
  const answer = JSON.parse(String(first[0])) as HeldCluster['answer']
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await exit
  }
  return { child, answer, stop }
}

/** Kills the programs at once, without a chance to do anything, and returns when none runs any more. */
export async function killHard(...pids: readonly (number | undefined)[]): Promise<void> {
  const known = pids.filter((pid) => pid !== undefined)
  for (const pid of known) process.kill(pid, 'SIGKILL')
  for (const pid of known) await ended(pid)
}

/** Returns when there is no process of this number. */
export async function ended(pid: number): Promise<void> {
  while (identifyProcess(pid) !== undefined) await sleep(10)
}

/** The shells that wait for the end of `parent` to stop its cluster (Linux). */
export function watchdogsOf(parent: number | undefined): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const [ppid] = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(1) ?? []
        return Number(ppid) === parent && readFileSync(`/proc/${name}/cmdline`, 'utf8').startsWith('/bin/sh')
      } catch {
        return false
      }
    })
    .map(Number)
}
