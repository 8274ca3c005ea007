import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Workload } from './workloads.ts'
import { userId } from './workloads.ts'
import type { LoadTarget } from './wrk.ts'

/** A server under load: how each workload is asked of it; undefined where it has no such thing. */
export type Peer = {
  readonly name: string
  readonly target: (workload: Workload) => LoadTarget | undefined
  /** Resident memory of its process, megabytes. */
  readonly rssMb: () => number
  readonly stop: () => Promise<void>
}

/** The folder of this package. */
export const benchFolder = fileURLToPath(new URL('..', import.meta.url))

/** Whom all signed-in load acts as; also what the token says. */
export const claims = { sub: userId, role: 'authenticated', aud: 'authenticated', exp: 2_000_000_000 }

/** Resident memory of a process by its id, megabytes. */
export function readRssMb(pid: number): number {
  return Number(spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout) / 1024
}

/** What every peer that is a process of its own has in common. */
export function processPeer(
  name: string,
  child: ChildProcess,
): Pick<Peer, 'name' | 'rssMb' | 'stop'> & { readonly pid: number } {
  return {
    name,
    pid: child.pid!,
    rssMb: () => readRssMb(child.pid!),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve())
        child.kill('SIGTERM')
      }),
  }
}

/** Starts one of `src/peers/` with the Node that runs this. */
export function startNode(file: string, env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [`${benchFolder}src/peers/${file}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production', ...env },
  })
}

/** The JSON line by which a child says that it is ready; of several the first that `isReady` takes. */
export function readyLine(
  child: ChildProcess,
  isReady: (line: Record<string, unknown>) => boolean = () => true,
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`${child.spawnargs.join(' ')} ended with ${code} before it was ready`)),
    )
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const parsed = line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : undefined
      if (parsed !== undefined && isReady(parsed)) resolve(parsed)
    })
  })
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
