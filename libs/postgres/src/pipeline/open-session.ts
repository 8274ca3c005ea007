import { Client, type ClientConfig } from 'pg'
import { parse } from 'pg-connection-string'
import type { Duplex } from 'node:stream'
import { PostgresError, PostgresUnavailable } from '../errors.ts'
import type { CancelKey } from './cancel.ts'
import type { Settings } from './envelope.ts'

export type SessionTarget = {
  readonly config: ClientConfig
  /** Whether a server in recovery is refused. */
  readonly primaryOnly?: boolean
  readonly applicationName: string
  readonly connectMs: number
}

export type Session = { readonly socket: Duplex; readonly cancelKey: CancelKey }

/** What of a connected `pg` client is taken over; its wire connection is not part of its types. */
type ConnectedClient = {
  readonly connection: {
    readonly stream: Duplex
    on(event: 'parameterStatus', listener: (status: ParameterStatus) => void): void
  }
  readonly host: string
  readonly port: number
  readonly ssl: unknown
  readonly processID: number
  readonly secretKey: number
}

type ParameterStatus = { readonly parameterName: string; readonly parameterValue: string }

/**
 * Lets `pg` connect and authenticate, then takes its socket: from here on nobody else reads or writes it.
 *
 * Settings travel in the startup packet and not as statements, which makes them the session's defaults: `reset all` and
 * `reset role` come back to them. Rejects with what `toConnectFailure` makes of the reason, and when a primary is wanted and
 * the server is none, which it says itself while the session begins.
 */
export async function openSession(target: SessionTarget, settings: Settings): Promise<Session> {
  const client = new Client(toClientConfig(target, settings))
  const isStandby = noteStandby(client)
  client.on('error', ignore)
  try {
    await client.connect()
    if (target.primaryOnly === true && isStandby()) throw new Error('the server is in recovery and takes no writes')
  } catch (error) {
    void client.end().catch(ignore)
    throw toConnectFailure(error)
  }
  const { connection, host, port, ssl, processID, secretKey } = client as unknown as ConnectedClient
  const socket = connection.stream
  socket.pause()
  for (const event of ['data', 'error', 'close', 'drain']) socket.removeAllListeners(event)
  socket.on('error', ignore)
  // The new reader attaches its listener in the same turn; flowing starts after it.
  setImmediate(() => socket.resume())
  return { socket, cancelKey: { host, port, ssl, processId: processID, secretKey } }
}

/** What the server reports of itself while the session of this client begins (protocol, "Start-up"; since PostgreSQL 14). */
export function noteStandby(client: Client): () => boolean {
  let standby = false
  const { connection } = client as unknown as ConnectedClient
  connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
    if (parameterName === 'in_hot_standby') standby = parameterValue === 'on'
  })
  return () => standby
}

/**
 * Postgres says why it does not let a session begin: a role or setting that it refuses is the fault of this role alone
 * and becomes a `PostgresError`; everything else means that nobody gets a connection now.
 */
export function toConnectFailure(error: unknown): PostgresError | PostgresUnavailable {
  const { code, message, severity, detail, hint } = error as Partial<Record<string, string>>
  if (code !== undefined && /^(22|42)...$/.test(code)) {
    return new PostgresError({ severity: severity ?? 'FATAL', code, message: message ?? '', detail, hint })
  }
  const text = `Postgres cannot be reached: ${message || code || String(error)}`
  return new PostgresUnavailable('connection', text, { sent: false, cause: error })
}

/**
 * Reads any form of DATABASE_URL that `pg` understands, unix sockets and TLS included. Throws without showing the URL.
 */
export function parseDatabaseUrl(url: string): ClientConfig {
  try {
    return parse(url) as ClientConfig
  } catch {
    throw new TypeError('DATABASE_URL is not a connection URL; expected postgres://user:password@host:port/database')
  }
}

function toClientConfig(target: SessionTarget, settings: Settings): ClientConfig {
  const options = [target.config.options, ...settings.map(toOption)].filter(
    (option) => option !== undefined && option !== '',
  )
  return {
    ...target.config,
    application_name: target.applicationName,
    connectionTimeoutMillis: target.connectMs,
    keepAlive: true,
    options: options.length > 0 ? options.join(' ') : undefined,
  }
}

/** One command-line option of the server; blanks and backslashes are escaped by a backslash. */
function toOption([name, value]: readonly [string, string]): string {
  return `-c ${`${name}=${value}`.replace(/[\\\s]/g, '\\$&')}`
}

function ignore(): void {}
