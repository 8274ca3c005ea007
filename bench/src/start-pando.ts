import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { benchFolder, claims, freePort, processPeer, readyLine } from './peer.ts'
import type { Peer } from './peer.ts'
import type { HttpRequest } from './workloads.ts'
import type { LoadTarget } from './wrk.ts'

export type Pando = Peer & {
  readonly pid: number
  /** Of the API. */
  readonly url: string
  readonly anonKey: string
  readonly jwtSecret: string
  /** From the start of the command to its ready line, milliseconds, as the command itself says. */
  readonly readyMs: number
  /** As the owner, over the unix socket: the shortest way to Postgres there is. */
  readonly databaseUrl: string
  /** The same over TCP, for those that know no other way. */
  readonly tcpUrl: string
  readonly toTarget: (request: HttpRequest) => LoadTarget
  /** An access token, as the installation's secret signs it. */
  readonly sign: (claims: object) => string
}

/**
 * A fresh copy of the bench project in a temporary folder. Others may pass through it: as root, PostgreSQL runs as another
 * user, and a cluster that it could not reach would be put outside of the folder, and stay.
 */
export function copyProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pando-bench-project-'))
  chmodSync(folder, 0o755)
  cpSync(join(benchFolder, 'project', 'pando'), join(folder, 'pando'), { recursive: true })
  return folder
}

export function removeProject(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** `pando dev` on a project folder, as a user would start it, with all of its defaults. */
export async function startPando(project: string): Promise<Pando> {
  const ports = ['--port', String(await freePort()), '--db-port', String(await freePort())]
  const bin = join(benchFolder, '..', 'apps', 'cli', 'bin', 'pando.js')
  const child = spawn(process.execPath, [bin, 'dev', '--project', project, ...ports, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ready = await readyLine(child, ({ event }) => event === 'ready')
  const base = `${ready['API_URL'] as string}/rest/v1`
  const sign = (of: object): string => signToken(ready['JWT_SECRET'] as string, of)
  const token = sign(claims)
  const headers = { apikey: ready['ANON_KEY'] as string, Authorization: `Bearer ${token}` }
  const toTarget = (request: HttpRequest): LoadTarget => ({
    ...request,
    base,
    headers: { ...headers, ...request.headers },
  })
  return {
    ...processPeer('pando', child),
    url: ready['API_URL'] as string,
    anonKey: ready['ANON_KEY'] as string,
    jwtSecret: ready['JWT_SECRET'] as string,
    readyMs: ready['readyMs'] as number,
    databaseUrl: await findSocket(ready['DB_URL'] as string),
    tcpUrl: ready['DB_URL'] as string,
    toTarget,
    sign,
    target: ({ rest }) => toTarget(rest),
  }
}

/** The same database by its unix socket. */
async function findSocket(databaseUrl: string): Promise<string> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  const { rows } = await client.query<{ folders: string }>(
    "select current_setting('unix_socket_directories') as folders",
  )
  await client.end()
  const { username, password, port, pathname } = new URL(databaseUrl)
  const folder = encodeURIComponent(rows[0]!.folders.split(',')[0]!.replaceAll('"', '').trim())
  return `postgresql://${username}:${password}@${folder}:${port}${pathname}`
}

/** Another database on the server of `databaseUrl`. */
export async function createDatabase(databaseUrl: string, name: string): Promise<string> {
  const admin = new pg.Client(databaseUrl)
  await admin.connect()
  try {
    await admin.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`)
    await admin.query(`create database ${pg.escapeIdentifier(name)}`)
  } finally {
    await admin.end()
  }
  return databaseUrl.replace(/\/[^/]*$/, `/${name}`)
}

function signToken(secret: string, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
