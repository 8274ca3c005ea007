import type { Lsn } from '../lsn.ts'
import { createPipelinedPools, type PipelinedPools, type PipelinedPoolsOptions } from '../pipeline/pools.ts'
import type { ObserveServers } from './observation.ts'
import { createRoutedPools } from './routed-pools.ts'
import type { Servers } from './servers.ts'

export type ReplicatedPoolsOptions = Omit<PipelinedPoolsOptions, 'primaryOnly'> & {
  readonly servers: Servers
  /** Of requests, one for each of the replicas that `servers` watches, in their order. */
  readonly replicaUrls: readonly string[]
  readonly observe: ObserveServers
  /** Told of each write, to be passed on to other processes. */
  readonly onCommit?: (caller: string, lsn: Lsn) => void
}

/**
 * The way to the primary, wherever it is, and to replicas where those may answer. What runs on a server that is the
 * primary no more gets its answer; what comes then goes to the new one.
 */
export function createReplicatedPools(options: ReplicatedPoolsOptions): PipelinedPools {
  const { servers, replicaUrls, observe, onCommit, ...shared } = options
  // Behind a pooler only a write shows what the server is.
  const primary = createPipelinedPools({ ...shared, primaryOnly: shared.mode !== 'transactional' })
  const replicas = replicaUrls.map((url) => createPipelinedPools({ ...shared, url }))
  const all = [primary, ...replicas]
  servers.onPrimaryChanged(primary.retire)
  const routed =
    replicas.length === 0
      ? primary
      : createRoutedPools({
          primary,
          replicas: replicas.map(({ run }, index) => ({ run, replayed: () => servers.replayed(index) })),
          commits: servers.commits,
          observe,
          onCommit,
        })
  return {
    run: routed.run,
    transaction: routed.transaction,
    stats: primary.stats,
    retire: () => all.forEach((pools) => pools.retire()),
    close: async () => {
      await Promise.all(all.map((pools) => pools.close()))
    },
  }
}
