import { systemClock } from '@pando/core/clock'
import type { Consistency } from '../exchange.ts'
import { createReplicatedPools } from '../replicas/replicated-pools.ts'
import type { ServersObservation } from '../replicas/observation.ts'
import { defaultServersLimits, watchServers, type Servers, type ServersLimits } from '../replicas/servers.ts'
import type { PipelinedPools, PipelinedPoolsOptions } from '../pipeline/pools.ts'
import type { ReplicatedCluster, TestServer } from './replicated-cluster.ts'

/** A node's ways to a replicated cluster, all of whose servers may be primary and replica. */
export type ReplicatedHouse = {
  readonly servers: Servers
  readonly pools: PipelinedPools
  readonly observations: ServersObservation[]
  /** How many observations there are of a kind. */
  count(kind: ServersObservation['kind']): number
  close(): Promise<void>
}

const role = 'authenticator'

/** Starts a house. `spoil` gets the servers before they are used, to plant a mistake. */
export async function openHouse(
  cluster: ReplicatedCluster,
  options: {
    readonly limits?: Partial<ServersLimits>
    readonly pools?: Partial<PipelinedPoolsOptions>
    readonly replicas?: readonly TestServer[]
    readonly spoil?: (servers: Servers) => Servers
  } = {},
): Promise<ReplicatedHouse> {
  const { spoil = (servers) => servers, replicas = cluster.replicas } = options
  const observations: ServersObservation[] = []
  const toAddress = (server: TestServer) => ({ name: server.name, url: server.urlAs(role) })
  const candidates = [cluster.primary, ...cluster.replicas].map(toAddress)
  const servers = watchServers({
    candidates,
    replicas: replicas.map(toAddress),
    clock: systemClock,
    limits: { ...defaultServersLimits, intervalMs: 20, ...options.limits },
    prepares: true,
    observe: (observation) => observations.push(observation),
  })
  await servers.start()
  const pools = createReplicatedPools({
    url: () => candidates[servers.primary()]!.url,
    applicationName: 'pando-test',
    ...options.pools,
    servers: spoil(servers),
    replicaUrls: replicas.map((server) => server.urlAs(role)),
    observe: (observation) => observations.push(observation),
  })
  return {
    servers,
    pools,
    observations,
    count: (kind) => observations.filter((observation) => observation.kind === kind).length,
    close: async () => {
      await pools.close()
      await servers.stop()
    },
  }
}

export const rolesSql = `
  create role anon nologin;
  create role authenticator login noinherit password 'open';
  grant anon to authenticator;
  grant usage, create on schema public to anon;`

export function callerOf(caller: string): { readonly consistency: Consistency } {
  return { consistency: { caller } }
}
