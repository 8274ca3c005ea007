import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Interface } from 'node:readline'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A `pando serve` of the drill's own; its address stays the same over its starts. */
export type NodeProcess = {
  readonly name: string
  readonly url: string
  /** Returns when it listens. */
  start(): Promise<void>
  /** As a crash does, without a chance to do anything. */
  kill(): Promise<void>
  /** By SIGTERM, and waits for its end. */
  end(): Promise<void>
  /** Gives each worker a successor; returns when all have one, while the old ones still end what they do. */
  replaceWorkers(): Promise<void>
}

export type NodePlan = {
  readonly name: string
  readonly services: readonly string[]
  readonly port: number
  readonly workers?: number
  readonly cwd: string
  /** All of it: nothing else of this process reaches the node. */
  readonly environment: Readonly<Record<string, string>>
}

const pandoFile = fileURLToPath(new URL('../../../bin/pando.js', import.meta.url))

export function createNodeProcess({ name, services, port, workers, cwd, environment }: NodePlan): NodeProcess {
  const flags = ['serve', '--services', services.join(','), '--port', String(port)]
  if (workers !== undefined) flags.push('--workers', String(workers))
  let child: ChildProcess | undefined
  let log: Interface | undefined
  const finish = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    async start() {
      // By the channel it notices the end of this process, however that ends, and ends too.
      child = spawn(process.execPath, [pandoFile, ...flags], {
        cwd,
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      })
      log = createInterface(child.stdout!)
      await isListening(child, log, name)
    },
    kill: () => finish('SIGKILL'),
    end: () => finish('SIGTERM'),
    async replaceWorkers() {
      const replaced = until(log!, 'a worker has a successor', workers ?? 1)
      child!.kill('SIGHUP')
      await replaced
    },
  }
}

/** Fulfils when a line with this message has come so many times. */
const until = (log: Interface, msg: string, times: number): Promise<void> =>
  new Promise((resolve) => {
    let count = 0
    const look = (line: string): void => {
      count += line.includes(`"msg":"${msg}"`) ? 1 : 0
      if (count < times) return
      log.off('line', look)
      resolve()
    }
    log.on('line', look)
  })

const keptLines = 20

async function isListening(child: ChildProcess, log: Interface, name: string): Promise<void> {
  const last: string[] = []
  const keep = (line: string): void => {
    last.push(line)
    if (last.length > keptLines) last.shift()
  }
  log.on('line', keep)
  createInterface(child.stderr!).on('line', keep)
  const ended = once(child, 'close').then(() => {
    throw new Error(`${name} ended before it listened. It said:\n${last.join('\n')}`)
  })
  ended.catch(() => undefined)
  await Promise.race([until(log, 'listening', 1), ended])
}
