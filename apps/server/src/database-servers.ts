import type { Queries } from '@pando/postgres/database'
import { parseLsn } from '@pando/postgres/lsn'
import type { ObserveServers } from '@pando/postgres/replicas/observation'
import { defaultServersLimits, watchServers, type Servers } from '@pando/postgres/replicas/servers'
import { atServer, type ServerUrl } from '@pando/postgres/server-url'
import type { Logger } from '@pando/telemetry/logger'
import type { Metrics } from '@pando/telemetry/metrics'
import type { PostgresAddresses } from './data-layer.ts'
import type { Shared } from './roles.ts'

/** The servers of a database as the configuration names them, each `host:port`. */
export type ServerNames = {
  /** Besides that of the addresses, which one may be the primary. */
  readonly hosts: readonly string[]
  readonly replicaHosts: readonly string[]
  readonly lagMsMax: number
  readonly intervalMs: number
}

/** The servers of a database, watched. */
export type DatabaseServers = Servers & {
  readonly replicaUrls: readonly string[]
  readonly observe: ObserveServers
  /** The same login on the primary, wherever that is. */
  readonly follow: (url: string) => ServerUrl
  /** From now on nobody is answered from before what the primary has now. */
  readonly raise: (primary: Queries) => Promise<void>
}

type Watching = Pick<Shared, 'clock' | 'logger' | 'metrics'>

export function createDatabaseServers(
  { clock, logger, metrics }: Watching,
  { apiUrl, listenUrl, mode }: PostgresAddresses,
  { hosts, replicaHosts, lagMsMax, intervalMs }: ServerNames,
): DatabaseServers {
  const own = new URL(listenUrl).host
  const others = hosts.filter((host) => host !== own)
  const candidates = [
    { name: own, url: listenUrl },
    ...others.map((name) => ({ name, url: atServer(listenUrl, name) })),
  ]
  const replicas = replicaHosts.map((name) => ({ name, url: atServer(apiUrl, name) }))
  const observe = renderObservations(logger, metrics)
  const servers = watchServers({
    candidates,
    replicas,
    clock,
    limits: { ...defaultServersLimits, lagMsMax, intervalMs },
    prepares: mode === 'pipelined',
    observe,
  })
  metrics.gauge({
    name: 'database_replicas',
    help: 'Streaming replicas that answer this node, whether or not they have replayed enough.',
    read: () => replicas.filter((_, index) => servers.replayed(index) !== undefined).length,
  })
  return {
    ...servers,
    replicaUrls: replicas.map(({ url }) => url),
    observe,
    follow: (url) => (others.length === 0 ? url : () => atServer(url, candidates[servers.primary()]!.name)),
    raise: async (primary) => {
      const [row] = await primary.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn')
      servers.commits.raise(parseLsn(row!.lsn)!)
    },
  }
}

function renderObservations(logger: Logger, metrics: Metrics): ObserveServers {
  const reads = metrics.counter({
    name: 'database_reads_total',
    help: 'Reads that replicas may answer, by who did; `behind` and `failed` were asked of a replica in vain.',
    labels: ['by'],
  })
  const by = {
    primary: reads.series({ by: 'primary' }),
    replica: reads.series({ by: 'replica' }),
    behind: reads.series({ by: 'behind' }),
    failed: reads.series({ by: 'failed' }),
  }
  return (observation) => {
    switch (observation.kind) {
      case 'read.answered':
        return by[observation.by].add()
      case 'read.repeated':
        return by[observation.why].add()
      case 'server.heard':
        return logger.info({ server: observation.server, standby: observation.standby }, 'a database server answers')
      case 'server.silent':
        return logger.warn({ server: observation.server, err: observation.cause }, 'a database server does not answer')
      case 'primary.changed':
        return logger.warn(
          { server: observation.server, timeline: observation.timeline },
          'another server is the primary',
        )
    }
  }
}
