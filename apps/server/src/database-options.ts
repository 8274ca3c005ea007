import { options, type Values } from '@pando/config/options'
import { isServer } from '@pando/postgres/server-url'
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
    hosts: {
      type: 'list',
      default: [],
      refuse: refuseServers,
      text: 'Servers (`host:port`) of which one is the primary, besides that of `DATABASE_URL`: the one that is not in recovery is found, also after a failover. Login and database are those of the URLs.',
    },
    replicaHosts: {
      type: 'list',
      default: [],
      refuse: refuseServers,
      text: 'Streaming replicas (`host:port`, or of their poolers) that answer reads of the data API. Those that are promoted, silent or too far behind are left out.',
    },
    replicaLagMax: {
      type: 'duration',
      default: 10_000,
      min: 100,
      text: 'A replica that has not replayed what was written this long ago answers nobody. So long it is known whose write is where.',
    },
    watchInterval: {
      type: 'duration',
      default: 250,
      min: 10,
      text: 'How often each server is asked whether it is the primary and how far it has come, where several are named.',
    },
  },
})

function refuseServers(items: readonly string[]): string | undefined {
  const wrong = items.find((item) => !isServer(item))
  return wrong === undefined ? undefined : `must be a list of host:port; "${wrong}" is none`
}

/**
 * Where a node finds Postgres.
 *
 * @throws when no database is named
 */
export function toPostgresAddresses(values: Values<typeof databaseOptions>): PostgresAddresses {
  const { url, apiUrl, pooled, hosts, replicaHosts, replicaLagMax, watchInterval } = values
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
    ...(hosts.length + replicaHosts.length > 0 && {
      servers: { hosts, replicaHosts, lagMsMax: replicaLagMax, intervalMs: watchInterval },
    }),
  }
}

/** The same address with a role that the server logs in as: its password is that of `apiUrl`, else the owner's. */
function asRole(role: string, ownerUrl: string, apiUrl?: string): string {
  const url = new URL(ownerUrl)
  url.username = role
  if (apiUrl !== undefined) url.password = new URL(apiUrl).password
  return url.href
}
