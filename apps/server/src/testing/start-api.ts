import type { OutboxMessage } from '@pando/auth'
import { demoKeys, type ProjectKeys } from '@pando/http/auth/api-keys'
import { hmacSigningKey, signJwt } from '@pando/http/auth/sign-jwt'
import { createDatabase } from '@pando/postgres/database'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import type { ShardDeclaration } from '@pando/sharding/shard-plan'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { readFileSync } from 'node:fs'
import { readServerConfig } from '../config.ts'
import { createFactories } from '../factories.ts'
import { startServer } from '../start-server.ts'
import { copyTables, isOnCitus, spreadTables } from './spread-tables.ts'

/** An answer as it came; `body` is parsed when it is JSON. */
export type Received = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: unknown
}

export type Asked = {
  readonly method?: string
  readonly headers?: Record<string, string>
  /** Text and bytes go as they are, anything else as JSON. */
  readonly body?: unknown
}

/** A whole node with a database of its own, reached over HTTP alone. */
export type Api = {
  readonly url: string
  readonly database: TestDatabase
  readonly keys: ProjectKeys
  /** The official client, as a stranger or with the token of a user. */
  client(token?: string): SupabaseClient
  /** A user's token, signed with the secret of the installation; valid for an hour unless the claims say otherwise. */
  sign(claims: Record<string, unknown>): Promise<string>
  /**
   * What the client has no method for. The path is below `/rest/v1`; the anon key goes along unless headers name
   * another.
   */
  ask(path: string, asked?: Asked): Promise<Received>
  /** Mails that would have gone to this address, newest first. */
  mails(address: string): Promise<readonly OutboxMessage[]>
  /** Text messages that would have gone to this number (digits without the plus), newest first. */
  texts(phone: string): Promise<readonly OutboxMessage[]>
  /** Ends the node gently; the database stays until `stop`. */
  drain(): Promise<void>
  stop(): Promise<void>
}

/** The sea: a schema that has everything the data API knows about. */
export const harbour = readFileSync(new URL('harbour.sql', import.meta.url), 'utf8')

type ApiOptions = {
  readonly sql?: string
  readonly environment?: Record<string, string>
  readonly exposesNewTables?: boolean
  /** Another node, whose database this one shares. */
  readonly beside?: Pick<Api, 'database'>
  /** Spreads the tables, on Citus or a stub of it. */
  readonly shards?: ShardDeclaration
  /** `false` delivers messages or refuses them, as in production. */
  readonly mailbox?: boolean
}

/**
 * Starts a node on a free port over a new database. `sql` runs once as `postgres`, like a migration; `environment` are
 * options of the server; `exposesNewTables: false` leaves grants to the SQL, as in a new project.
 */
export async function startApi(options: ApiOptions = {}): Promise<Api> {
  const { sql = harbour, environment, exposesNewTables = true, beside, mailbox = true, shards } = options
  const database = beside?.database ?? (await createTestDatabase())
  if (!exposesNewTables) await database.run('select pando.auto_expose_new_tables(false)')
  if (beside === undefined) await runAsOwner(database, sql)
  if (shards !== undefined) await spreadTables(database, shards)
  else if (beside === undefined && isOnCitus) await copyTables(database)
  const keys = await demoKeys()
  const config = readServerConfig({
    environment: {
      PANDO_JWT_SECRET: keys.jwtSecret,
      PANDO_JWT_PUBLISHABLE_KEY: keys.publishableKey,
      PANDO_JWT_SECRET_KEY: keys.secretKey,
      PANDO_SERVER_PORT: '0',
      PANDO_LOG_LEVEL: 'error',
      // Cheap to try, and to test with.
      PANDO_AUTH_PASSWORD_MEMORY: '8mb',
      PANDO_AUTH_PASSWORD_PASSES: '1',
      // Many tests share few cores; nobody is to be told to come back because of that.
      PANDO_AUTH_PASSWORD_WAIT_MAX: '10m',
      // All tests come from one address.
      PANDO_AUTH_RATE_LIMIT_LOOPBACK: 'false',
      ...environment,
    },
  })
  const { apiUrl } = database
  const authUrl = database.urlAs('supabase_auth_admin')
  const realtimeUrl = database.urlAs('supabase_realtime_admin')
  const changesUrl = database.urlAs('supabase_replication_admin')
  const addresses = { apiUrl, listenUrl: apiUrl, authUrl, realtimeUrl, changesUrl, mode: 'pipelined' } as const
  const server = await startServer(config, createFactories(addresses, { mailbox }))
  return {
    url: server.url,
    database,
    keys,
    client: (token) => connect(server.url, keys, token),
    sign: (claims) => {
      const seconds = Math.floor(Date.now() / 1000)
      const standard = { role: 'authenticated', aud: 'authenticated', iat: seconds, exp: seconds + 3600 }
      return signJwt({ ...standard, ...claims }, hmacSigningKey(keys.jwtSecret))
    },
    ask: (path, asked) =>
      ask(`${server.url}/rest/v1${path}`, { ...asked, headers: { apikey: keys.anonKey, ...asked?.headers } }),
    mails: (address) => readMailbox(server.url, address),
    texts: (phone) => readMailbox(server.url, phone),
    drain: () => server.drain(),
    stop: async () => {
      await server.stop()
      if (beside === undefined) await database.close()
    },
  }
}

async function readMailbox(url: string, to: string): Promise<readonly OutboxMessage[]> {
  const { body } = await ask(`${url}/mailbox/messages?to=${encodeURIComponent(to)}`)
  return body as OutboxMessage[]
}

async function runAsOwner(database: TestDatabase, sql: string): Promise<void> {
  const owner = createDatabase({ url: database.urlAs('postgres'), applicationName: 'test', connectionsMax: 1 })
  try {
    await owner.query(sql)
  } finally {
    await owner.close()
  }
}

function connect(url: string, { anonKey }: ProjectKeys, token: string | undefined): SupabaseClient {
  return createClient(url, anonKey, {
    auth: { persistSession: false, autoRefreshToken: false },
    global: token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } },
  })
}

/** One request over the wire. */
export async function ask(url: string, { method, headers, body }: Asked = {}): Promise<Received> {
  const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: isRaw ? headers : { 'Content-Type': 'application/json', ...headers },
    body: isRaw ? (body as string | undefined) : JSON.stringify(body),
    redirect: 'manual',
  })
  const text = await response.text()
  const essence = response.headers.get('content-type')?.split(';')[0] ?? ''
  const isJson = /[/+]json$/.test(essence) && text !== ''
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : text }
}
