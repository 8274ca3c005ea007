import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The command as users start it. */
export const pandoFile = fileURLToPath(new URL('../../bin/pando.js', import.meta.url))

export type Outcome = { readonly code: number | null; readonly out: string; readonly err: string }

type RunOptions = { readonly cwd: string; readonly env?: Record<string, string>; readonly node?: string }

/** Only what a shell needs: no setting of the machine that runs the tests leaks into the command. */
const plainEnvironment = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }

function spawnPando(args: readonly string[], { cwd, env, node }: RunOptions): ChildProcess {
  return spawn(node ?? process.execPath, [pandoFile, ...args], {
    cwd,
    env: { ...plainEnvironment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs `pando` to its end as a real process, without a terminal. */
export async function runPando(args: readonly string[], options: RunOptions): Promise<Outcome> {
  const child = spawnPando(args, options)
  const [out, err] = [collect(child.stdout), collect(child.stderr)]
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out: out(), err: err() }
}

function collect(stream: ChildProcess['stdout']): () => string {
  let text = ''
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return () => text
}

/** A command that runs on its own, and how it ends: its exit code, or the signal. */
export type Running = { kill(signal: NodeJS.Signals): void; readonly end: Promise<number | NodeJS.Signals | null> }

export function startPando(args: readonly string[], options: RunOptions): Running {
  const child = spawnPando(args, options)
  collect(child.stdout)
  collect(child.stderr)
  const end = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]) => code ?? signal ?? null)
  return { kill: (signal) => child.kill(signal), end }
}

/** One line of `pando dev --json`. */
export type DevEvent = { readonly event: string; readonly [fact: string]: unknown }

/** A running `pando dev --json`. */
export type RunningDev = {
  readonly pid: number
  /**
   * The next event of this name, also one that has come already and nobody has taken; rejects when `dev` ends first.
   */
  next(name: string): Promise<DevEvent>
  kill(signal: NodeJS.Signals): void
  /** Resolves to the exit code, or the signal that ended it. */
  readonly end: Promise<number | NodeJS.Signals | null>
}

export function startDev(args: readonly string[], options: RunOptions): RunningDev {
  const child = spawnPando(['dev', '--json', ...args], options)
  const err = collect(child.stderr)
  const waiting = new Set<() => void>()
  const events: DevEvent[] = []
  let ended = false
  const wake = () => [...waiting].forEach((look) => look())
  if (child.stdout !== null) {
    createInterface(child.stdout).on('line', (line) => {
      events.push(JSON.parse(line) as DevEvent)
      wake()
    })
  }
  const end = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
    ended = true
    wake()
    return code ?? signal ?? null
  })
  const next = (name: string) =>
    new Promise<DevEvent>((resolve, reject) => {
      const look = () => {
        const at = events.findIndex(({ event }) => event === name)
        if (at === -1 && !ended) return
        waiting.delete(look)
        const [found] = at === -1 ? [] : events.splice(at, 1)
        if (found === undefined) reject(new Error(`dev ended before "${name}": ${JSON.stringify(events)} ${err()}`))
        else resolve(found)
      }
      waiting.add(look)
      look()
    })
  return { pid: child.pid ?? 0, next, kill: (signal) => child.kill(signal), end }
}

/** A line of a node's log. */
export type LogLine = { readonly level: string; readonly msg: string; readonly [fact: string]: unknown }

/** A running `pando serve`. */
export type RunningNode = {
  /** Of the API, once it listens; rejects when the node ends before. */
  readonly url: Promise<string>
  /** What it has logged until now. */
  lines(): readonly LogLine[]
  warnings(): readonly string[]
  kill(signal: NodeJS.Signals): void
  /** Resolves to the exit code, or the signal that ended it. */
  readonly end: Promise<number | NodeJS.Signals | null>
  /** Ends it gently. */
  stop(): Promise<void>
}

export function startServe(args: readonly string[], options: RunOptions): RunningNode {
  const child = spawnPando(['serve', ...args], options)
  const err = collect(child.stderr)
  const log: LogLine[] = []
  const listening = Promise.withResolvers<string>()
  if (child.stdout !== null) {
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text) as LogLine
      log.push(line)
      if (line.msg === 'listening') listening.resolve(String(line['url']))
    })
  }
  const end = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
    listening.reject(new Error(`serve ended: ${err()}`))
    return code ?? signal ?? null
  })
  listening.promise.catch(() => undefined)
  return {
    url: listening.promise,
    lines: () => log,
    warnings: () => log.filter(({ level }) => level === 'warn').map(({ msg }) => msg),
    kill: (signal) => child.kill(signal),
    end,
    stop: async () => {
      child.kill('SIGTERM')
      await end
    },
  }
}
