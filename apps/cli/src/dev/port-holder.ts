import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { promisify } from 'node:util'

import { Failure } from '../failure.ts'

/** Whether `host:port` can be listened on now; port 0 always can. */
export async function isPortFree(port: number, host: string): Promise<boolean> {
  if (port === 0) return true
  const server = createServer()
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** The program that listens on a TCP port of this machine. */
export type PortHolder = { readonly pid: number; readonly command: string }

/** Finds out who listens on `port`; undefined when the system does not tell (another user's program, no `lsof`). */
export async function findPortHolder(port: number): Promise<PortHolder | undefined> {
  return process.platform === 'linux' ? findOnLinux(port) : await findWithLsof(port)
}

const commandLengthMax = 80

/** A command line as a message can show it. */
function toOneLine(command: string): string {
  const line = command.replaceAll(/[\0\s]+/g, ' ').trim()
  return line.length > commandLengthMax ? `${line.slice(0, commandLengthMax)}…` : line
}

/** What a message calls the holder of a port. */
export function describeHolder(holder: PortHolder | undefined): string {
  return holder === undefined ? 'another program' : `${holder.command} (pid ${holder.pid})`
}

/** Says who has the port, and which option chooses another. */
export async function portInUse(port: number, option: string): Promise<Failure> {
  const holder = await findPortHolder(port)
  return new Failure('busy', `Port ${port} is in use by ${describeHolder(holder)}.`, {
    remedy: `Stop it, or choose another port, for example ${option} ${port + 1}, or port = … in config.toml.`,
    facts: { port, holder },
  })
}

const listening = '0A'

function findOnLinux(port: number): PortHolder | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const inodes = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
      readLines(table)
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[1]?.endsWith(`:${hex}`) === true && fields[3] === listening)
        .map((fields) => `socket:[${fields[9]}]`),
    ),
  )
  if (inodes.size === 0) return undefined
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && holdsOne(name, inodes))
  if (pid === undefined) return undefined
  return { pid: Number(pid), command: toOneLine(readText(`/proc/${pid}/cmdline`)) }
}

function holdsOne(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.has(readLink(`/proc/${pid}/fd/${fd}`)))
  } catch {
    return false
  }
}

async function findWithLsof(port: number): Promise<PortHolder | undefined> {
  try {
    const { stdout } = await promisify(execFile)('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'])
    const pid = /^p(\d+)$/m.exec(stdout)?.[1]
    return pid === undefined ? undefined : { pid: Number(pid), command: /^c(.+)$/m.exec(stdout)?.[1] ?? '' }
  } catch {
    return undefined
  }
}

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
const readLines = (file: string): string[] => readText(file).split('\n')
const readLink = (file: string): string => {
  try {
    return readlinkSync(file)
  } catch {
    return ''
  }
}
