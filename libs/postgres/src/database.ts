import { Pool, type ClientConfig, type PoolClient, type PoolConfig, type QueryResultRow } from 'pg'
import { isAnswerLate, toPostgresFailure } from './failure.ts'
import { PrimaryClient } from './primary-client.ts'
import type { ServerUrl } from './server-url.ts'

export type DatabaseOptions = {
  /**
   * Any form that `pg` understands; a unix socket's folder may be the percent-encoded host. Who gives a function follows the
   * primary: connections to where it was are given up, and a server in recovery is refused.
   */
  readonly url: ServerUrl
  /** Shown in pg_stat_activity. */
  readonly applicationName: string
  /** Default 10. */
  readonly connectionsMax?: number
  /** How long a caller waits for a connection. Default 5,000. */
  readonly connectMs?: number
  /** A connection without work is closed after this. Default 30,000. */
  readonly idleMs?: number
  /** Default 30,000; 0 is none. */
  readonly statementMsMax?: number
  /**
   * An answer that takes longer is not waited for, and its connection is given up. Default 0, without end: while the
   * server can be reached its own limit is enough.
   */
  readonly answerMsMax?: number
  /** Statements are planned once a connection instead of each time; for a few fixed texts, and without a pooler. */
  readonly prepares?: boolean
  /** Told about an idle connection that died; the next caller gets a new one. */
  readonly onConnectionLost?: (error: Error) => void
}

/** What runs statements: the database itself, one connection or a transaction. Values are always parameters. */
export type Queries = {
  query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>
}

/**
 * A small pool for services' own tables and for tools; callers' requests go through the pipeline instead.
 * Everything rejects with `PostgresError` or `PostgresUnavailable` (or what the given function threw).
 */
export type Database = Queries & {
  /** Lends one connection; what the function leaves set on it (`set`, temporary tables) is not undone. */
  withClient<T>(use: (client: Queries) => Promise<T>): Promise<T>
  /** Commits what the function did when it fulfils, undoes everything when it rejects. */
  transaction<T>(use: (transaction: Queries) => Promise<T>): Promise<T>
  /** Waits for lent connections, then closes all. */
  close(): Promise<void>
}

export function createDatabase(options: DatabaseOptions): Database {
  const pool = new Pool({
    ...toTarget(options.url),
    application_name: options.applicationName,
    max: options.connectionsMax ?? 10,
    connectionTimeoutMillis: options.connectMs ?? 5000,
    idleTimeoutMillis: options.idleMs ?? 30_000,
    statement_timeout: options.statementMsMax ?? 30_000,
    query_timeout: options.answerMsMax ?? 0,
    keepAlive: true,
  })
  pool.on('error', (error) => options.onConnectionLost?.(error))
  const nameOf = options.prepares === true ? createNames() : () => undefined
  const withClient: Database['withClient'] = (use) => lend(pool, (client) => use(toQueries(client, nameOf)))
  return {
    withClient,
    query: (text, values) => withClient((client) => client.query(text, values)),
    transaction: (use) => lend(pool, (client) => runTransaction(client, nameOf, use)),
    close: () => pool.end(),
  }
}

async function lend<T>(pool: Pool, use: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await checkOut(pool)
  // While lent, the pool does not listen: a death then must not become an uncaught error. The query in use rejects anyway.
  let broken: Error | undefined
  const noteDeath = (error: Error): void => {
    broken = error
  }
  client.on('error', noteDeath)
  try {
    return await use(client)
  } finally {
    client.off('error', noteDeath)
    client.release(broken)
  }
}

async function checkOut(pool: Pool): Promise<PoolClient> {
  const client = await pool.connect().catch((error: unknown) => {
    throw toPostgresFailure(error, { sent: false })
  })
  if (!(client instanceof PrimaryClient) || client.isInPlace()) return client
  client.release(true)
  return checkOut(pool)
}

function toTarget(url: ServerUrl): PoolConfig {
  if (typeof url === 'string') return { connectionString: url }
  return { Client: toClient(url), onConnect: (client) => (client as PrimaryClient).mustTakeWrites() }
}

/** A pool makes its clients itself, of a class. */
function toClient(currentUrl: () => string): new (config?: ClientConfig) => PrimaryClient {
  return class extends PrimaryClient {
    constructor(config?: ClientConfig) {
      super(config, currentUrl)
    }
  }
}

type NameOf = (text: string) => string | undefined

/** A name for each text, the same on all connections; `pg` prepares what has one. */
function createNames(): NameOf {
  const names = new Map<string, string>()
  return (text) => {
    let name = names.get(text)
    if (name === undefined) names.set(text, (name = `statement_${names.size}`))
    return name
  }
}

function toQueries(client: PoolClient, nameOf: NameOf): Queries {
  return {
    query: async (text, values) => {
      try {
        if (values === undefined) return (await client.query(text)).rows
        return (await client.query({ name: nameOf(text), text, values: [...values] })).rows
      } catch (error) {
        // Nobody knows when the connection is free again; the pool throws it away.
        if (isAnswerLate(error)) client.emit('error', error as Error)
        throw toPostgresFailure(error, { sent: true })
      }
    },
  }
}

async function runTransaction<T>(
  client: PoolClient,
  nameOf: NameOf,
  use: (transaction: Queries) => Promise<T>,
): Promise<T> {
  const transaction = toQueries(client, nameOf)
  await transaction.query('begin')
  let result: T
  try {
    result = await use(transaction)
  } catch (error) {
    // A connection that cannot even roll back is thrown away by the pool; the first error is the one to tell.
    await client.query('rollback').catch((failure: Error) => client.emit('error', failure))
    throw error
  }
  await transaction.query('commit')
  return result
}
