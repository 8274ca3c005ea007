import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '@pando/postgres/testing/free-port'

/** A whole node in a process of its own, as it is run in earnest. */
export type House = {
  readonly url: string
  readonly port: number
  /** What it wrote, the latest lines. */
  readonly output: () => string
  readonly isRunning: () => boolean
  /** Asks the probe inside, see `probe.ts`. */
  readonly probe: () => Promise<Probed>
  readonly stop: () => Promise<void>
}

/** What the probe inside saw since it was last asked. */
export type Probed = {
  /** The longest time for which the event loop did nothing else, in milliseconds. */
  readonly stallMs: number
  /** Whether somebody put something on `Object.prototype`. */
  readonly polluted: boolean
  readonly rssBytes: number
}

/** Well known, and good for tests alone. */
export const jwtSecret = 'a-secret-of-tests-alone-0123456789abcdef'

const mainFile = fileURLToPath(new URL('../../../../apps/server/src/main.ts', import.meta.url))
const probeFile = new URL('probe.ts', import.meta.url).href

/** Starts a node on a database, with the options of `environment` besides. Resolves when it is ready for requests. */
export async function startHouse(apiUrl: string, environment: Record<string, string> = {}): Promise<House> {
  const port = await freePort()
  const child = spawn(process.execPath, ['--import', probeFile, mainFile], {
    env: {
      DATABASE_URL: apiUrl,
      PANDO_JWT_SECRET: jwtSecret,
      PANDO_SERVER_PORT: String(port),
      PANDO_LOG_LEVEL: 'warn',
      PANDO_SERVER_DRAIN_DELAY: '0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const output = keepOutput(child)
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  const url = `http://127.0.0.1:${port}`
  while (!(await isReady(url))) {
    if (!isRunning()) throw new Error(`The node ended before it was ready:\n${output()}`)
    await sleep(50)
  }
  return { url, port, output, isRunning, probe: () => askProbe(child), stop: () => stop(child) }
}

const keptLines = 60

function keepOutput(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).split('\n').slice(-keptLines).join('\n')
    })
  }
  return () => text
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/health/ready`)
    await answer.body?.cancel()
    return answer.ok
  } catch {
    return false
  }
}

async function askProbe(child: ChildProcess): Promise<Probed> {
  const answer = once(child, 'message')
  child.send('probe')
  const [probed] = (await answer) as [Probed]
  return probed
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
