import { spawn, type ChildProcess } from 'node:child_process'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawnAs } from './cluster.ts'
import { EmbeddedPostgresError } from './error.ts'
import type { Home } from './home-folder.ts'
import { endWithParent } from './watchdog.ts'

export type Server = {
  readonly pid: number
  /** Fulfilled when the server ends although nobody stopped it. */
  readonly crashed: Promise<EmbeddedPostgresError>
  stop(): Promise<void>
}

export type ServerOptions = {
  /** Loopback TCP port; undefined: the unix socket alone. */
  readonly port: number | undefined
  /** The number in the socket's name. */
  readonly socketPort: number
  readonly onLog: (line: string) => void
}

const readyMaxMs = 120_000
const fastStopMaxMs = 10_000
const keptLogLines = 40
const lastLinesMaxMs = 1000
/** How long backends of a killed postmaster may take to notice; then their shared memory is free. */
const leftoverTries = 50
const leftoverPauseMs = 100

/** Starts the server and returns when it accepts connections. */
export async function startServer(home: Home, options: ServerOptions): Promise<Server> {
  for (let tries = 1; ; tries++) {
    await removeSockets(home.sockets)
    const outcome = await tryStart(home, options)
    if (typeof outcome !== 'string') return outcome
    if (tries < leftoverTries && outcome.includes('pre-existing shared memory block')) await sleep(leftoverPauseMs)
    else throw toStartError(home, options, outcome)
  }
}

/** Safe under the folder's lock: no server can be listening there. */
async function removeSockets(folder: string): Promise<void> {
  const names = await readdir(folder)
  await Promise.all(
    names.filter((name) => name.startsWith('.s.PGSQL.')).map((name) => rm(path.join(folder, name), { force: true })),
  )
}

function toStartError(home: Home, { port }: ServerOptions, log: string): EmbeddedPostgresError {
  if (port !== undefined && log.includes('Address already in use')) return portInUse(port)
  return new EmbeddedPostgresError('start_failed', `PostgreSQL did not start on ${home.data}. It says:\n${log}`, {
    facts: { folder: home.data },
  })
}

export const portInUse = (port: number): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'port_in_use',
    `port ${port} of 127.0.0.1, wanted for PostgreSQL, is in use by another program: stop that program or choose another port`,
    { facts: { port } },
  )

/** The running server, or the last lines of its log when it ended before it was ready. */
async function tryStart(home: Home, options: ServerOptions): Promise<Server | string> {
  const child = spawn(home.binaries.postgres, serverArguments(home, options), {
    ...spawnAs(home.account),
    // A session of its own: Ctrl+C reaches us alone, and we stop the server after the last request.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const watchdog = child.pid === undefined ? undefined : endWithParent(child.pid)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`))
  }).finally(() => watchdog?.dismiss())
  const log = followLog(child, options.onLog)
  const impatient = setTimeout(() => child.kill('SIGQUIT'), readyMaxMs)
  const early = await Promise.race([log.ready, ended])
  clearTimeout(impatient)
  if (early === undefined) return superviseServer(child, ended)
  // A backend that outlives the server keeps the log open.
  await Promise.race([log.closed, sleep(lastLinesMaxMs, undefined, { ref: false })])
  return [...log.lines(), early].join('\n')
}

const serverArguments = (home: Home, { port, socketPort }: ServerOptions): string[] => [
  '-D',
  home.data,
  '-p',
  String(port ?? socketPort),
  '-c',
  // A list of quoted names: a path may hold commas.
  `unix_socket_directories="${home.sockets.replaceAll('"', '""')}"`,
  '-c',
  `listen_addresses=${port === undefined ? '' : '127.0.0.1'}`,
]

/** A standby accepts reads only. */
const readyLine = /database system is ready to accept (read-only )?connections/

function followLog(child: ChildProcess, onLog: (line: string) => void) {
  const lines: string[] = []
  const { promise: ready, resolve: setReady } = Promise.withResolvers<undefined>()
  const { promise: closed, resolve: setClosed } = Promise.withResolvers<void>()
  const reader = createInterface({ input: child.stderr! })
  reader.on('line', (line) => {
    lines.push(line)
    if (lines.length > keptLogLines) lines.shift()
    onLog(line)
    if (readyLine.test(line)) setReady(undefined)
  })
  reader.once('close', setClosed)
  return { ready, closed, lines: () => lines }
}

function superviseServer(child: ChildProcess, ended: Promise<string>): Server {
  const pid = child.pid!
  let stopping: Promise<void> | undefined
  const { promise: crashed, resolve: setCrashed } = Promise.withResolvers<EmbeddedPostgresError>()
  const noticeEnd = async (): Promise<void> => {
    const how = await ended
    if (stopping === undefined)
      setCrashed(new EmbeddedPostgresError('start_failed', `PostgreSQL ended by itself: ${how}`))
  }
  void noticeEnd()
  const stop = async (): Promise<void> => {
    child.kill('SIGINT')
    // A subscriber that does not answer can delay a fast stop without an end; recovery makes an immediate one safe.
    const impatient = setTimeout(() => child.kill('SIGQUIT'), fastStopMaxMs)
    await ended
    clearTimeout(impatient)
  }
  return { pid, crashed, stop: () => (stopping ??= stop()) }
}
