import { options, type Values } from '@pando/config/options'
import type { PostgresAddresses } from './data-layer.ts'

export const databaseOptions = options({
  prefix: 'database',
  text: 'The PostgreSQL (15 or newer) that holds everything.',
  options: {
    url: {
      type: 'secret',
      default: null,
      env: 'DATABASE_URL',
      text: 'As the owner of the database, for migrations. Requests use `PANDO_DATABASE_API_URL`.',
    },
    apiUrl: {
      type: 'secret',
      default: null,
      text: 'As `authenticator`, for requests; may lead through pgbouncer. Without it, `DATABASE_URL` with that name and the same password.',
    },
    pooled: {
      type: 'boolean',
      default: false,
      text: 'Whether `PANDO_DATABASE_API_URL` leads through a pooler in transaction mode (pgbouncer): then nothing is kept in sessions.',
    },
  },
})

/**
 * Where a node finds Postgres.
 *
 * @throws when no database is named
 */
export function toPostgresAddresses({ url, apiUrl, pooled }: Values<typeof databaseOptions>): PostgresAddresses {
  if (url === null) {
    throw new Error(
      'No database is named: set DATABASE_URL, for example postgres://postgres:…@db.internal:5432/postgres.',
    )
  }
  const api = apiUrl?.reveal()
  const direct = asRole('authenticator', url.reveal(), api)
  // No notification comes through a pooler in transaction mode.
  return {
    apiUrl: api ?? direct,
    authUrl: asRole('supabase_auth_admin', url.reveal(), api),
    realtimeUrl: asRole('supabase_realtime_admin', url.reveal(), api),
    changesUrl: asRole('supabase_replication_admin', url.reveal(), api),
    listenUrl: pooled ? direct : (api ?? direct),
    mode: pooled ? 'transactional' : 'pipelined',
  }
}

/** The same address with a role that the server logs in as: its password is that of `apiUrl`, else the owner's. */
function asRole(role: string, ownerUrl: string, apiUrl?: string): string {
  const url = new URL(ownerUrl)
  url.username = role
  if (apiUrl !== undefined) url.password = new URL(apiUrl).password
  return url.href
}
