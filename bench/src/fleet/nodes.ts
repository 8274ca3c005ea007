import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { benchFolder, freePort, processPeer } from '../peer.ts'
import { pinTo } from '../wrk.ts'

/** A process of `pando serve`, or several behind one port. */
export type Node = {
  readonly url: string
  readonly pid: number
  readonly stop: () => Promise<void>
}

export type NodeOptions = {
  readonly args: readonly string[]
  /** Options by their variables. */
  readonly env: Record<string, string>
  /** The processors that its processes may use, as a list for `taskset`; all if not given. */
  readonly cpus?: string
}

/** Starts a node and waits until it is ready. */
export async function startNode({ args, env, cpus }: NodeOptions): Promise<Node> {
  const port = await freePort()
  const bin = join(benchFolder, '..', 'apps', 'cli', 'bin', 'pando.js')
  const common = { PANDO_LOG_REQUEST_SHARE: '0', PANDO_SERVER_DRAIN_DELAY: '0', PANDO_LOG_LEVEL: 'error' }
  const serve = [process.execPath, bin, 'serve', ...args, '--port', String(port)]
  const [command, ...rest] = [...pinTo(cpus), ...serve] as [string, ...string[]]
  const child = spawn(command, rest, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PANDO_SERVER_ADMIN_PORT: String(await freePort()), ...common, ...env },
  })
  const node = { ...processPeer(args.join(' '), child), url: `http://127.0.0.1:${port}` }
  await untilReady(node.url)
  return node
}

async function untilReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
    if (answer?.ok) return
    await sleep(100)
  }
  throw new Error(`${url} was not ready within 60 s`)
}

/** The kernel counts in hundredths of a second. */
const tickMs = 10

/** Processor time that a process has used, its own and the kernel's for it, milliseconds (Linux). */
export function readCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name of the program may hold anything; what follows it does not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickMs
}
