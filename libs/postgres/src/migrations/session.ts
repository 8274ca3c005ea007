import { Client } from 'pg'
import { toPostgresFailure } from '../failure.ts'

/** What PostgreSQL tells besides errors: `raise notice` and warnings. */
export type Notice = { readonly severity: string; readonly message: string; readonly hint?: string }

export type SessionOptions = {
  readonly url: string
  /** Default 10,000. */
  readonly connectMs?: number
  readonly onNotice?: (notice: Notice) => void
}

const applicationName = 'pando migrations'

/**
 * Lends a connection of its own for migrations, without a time limit for statements: rewriting a large table takes as
 * long as it takes, and whoever started it can end it.
 */
export async function withSession<T>(options: SessionOptions, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: options.url,
    application_name: applicationName,
    connectionTimeoutMillis: options.connectMs ?? 10_000,
    statement_timeout: 0,
    keepAlive: true,
  })
  // Its death also rejects the query in use, which is where it is told.
  client.on('error', () => undefined)
  client.on('notice', ({ severity, message, hint }) =>
    options.onNotice?.({ severity: severity ?? 'NOTICE', message: message ?? '', hint }),
  )
  try {
    await client.connect()
  } catch (error) {
    await client.end().catch(() => undefined)
    throw toPostgresFailure(error, { sent: false })
  }
  try {
    return await use(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Numbers of our advisory locks: "pando" in ASCII, then one for each purpose. */
export const lockSpace = 0x70616e64
export const lockPurposes = { system: 1, project: 2 } as const
const lockWaitMsMax = 300_000

/**
 * Runs `use` while no other runner of the same purpose does, in any process; waits up to five minutes for the other.
 * The lock is held by a session of its own, so SQL that a migration runs cannot release it.
 */
export async function withMigrationLock<T>(
  options: SessionOptions,
  purpose: keyof typeof lockPurposes,
  use: () => Promise<T>,
): Promise<T> {
  return await withSession(options, async (client) => {
    try {
      await client.query(`set lock_timeout = ${lockWaitMsMax}`)
      await client.query('select pg_catalog.pg_advisory_lock($1, $2)', [lockSpace, lockPurposes[purpose]])
    } catch (error) {
      throw toPostgresFailure(error, { sent: true })
    }
    return await use()
  })
}
