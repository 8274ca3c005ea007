import { createCatalogueKeeper, type CatalogueKeeper } from '@pando/catalogue/catalogue-keeper'
import type { Catalogue } from '@pando/catalogue/catalogue'
import { loadCatalogue, loadInDatabaseConfig } from '@pando/catalogue/load-catalogue'
import type { Clock } from '@pando/core/clock'
import type { Readiness } from '@pando/core/service'
import { createDatabase, type Database } from '@pando/postgres/database'
import { listen } from '@pando/postgres/listen'
import { createPipelinedPools, type PipelinedPools } from '@pando/postgres/pipeline/pools'
import type { CommitLog } from '@pando/postgres/replicas/commit-log'
import { createReplicatedPools } from '@pando/postgres/replicas/replicated-pools'
import { createRoutedPools } from '@pando/postgres/replicas/routed-pools'
import type { ServerUrl } from '@pando/postgres/server-url'
import {
  createEffectiveConfigs,
  type EffectiveConfigs,
  preConfigOf,
  restSessionSettings,
  type RestOptions,
} from '@pando/rest'
import type { Logger } from '@pando/telemetry/logger'
import { countRows } from './count-rows.ts'
import type { DatabaseServers, ServerNames } from './database-servers.ts'
import type { SharedCommits } from './shared-commits.ts'

/** How a node reaches Postgres, always as the authenticator, which becomes the caller's role. */
export type PostgresAddresses = {
  /** For requests; may lead through a pooler in transaction mode, then `mode` is `transactional`. */
  readonly apiUrl: string
  readonly mode: 'pipelined' | 'transactional'
  /** Without a pooler: notifications need a session of their own. */
  readonly listenUrl: string
  /** As `supabase_auth_admin`, who owns the accounts; without a pooler. */
  readonly authUrl: string
  /** As `supabase_realtime_admin`, who owns the messages; without a pooler. */
  readonly realtimeUrl: string
  /** As `supabase_replication_admin`, who reads the log of changes; without a pooler. */
  readonly changesUrl: string
  /** Where there are several servers. */
  readonly servers?: ServerNames
}

/** Told, with the exposed schemas, of each catalogue right before it serves. */
export type OnCatalogue = (catalogue: Catalogue, schemas: readonly string[]) => void

export type DataLayerDeps = Pick<PostgresAddresses, 'mode'> & {
  readonly apiUrl: ServerUrl
  readonly listenUrl: ServerUrl
  readonly servers?: DatabaseServers
  /** To the other nodes, who answer the same callers; where callers are shown what they wrote. */
  readonly sharedCommits?: SharedCommits
  /** Where no server is watched: what callers have written, so that kept answers do not show less. */
  readonly commits?: CommitLog
  readonly rest: RestOptions
  readonly clock: Clock
  readonly logger: Logger
  readonly onCatalogue?: OnCatalogue
}

/** The way to Postgres and the picture of what is there, shared by the services of a node. */
export type DataLayer = Pick<PipelinedPools, 'run' | 'transaction' | 'stats'> & {
  readonly catalogue: CatalogueKeeper['current']
  readonly effectiveConfigs: EffectiveConfigs
  readonly ready: Readiness
  readonly countRows: (schemas: readonly string[]) => ReturnType<typeof countRows>
  /** Reads the catalogue at once, for a caller that has just changed the schema. */
  readonly reload: () => Promise<void>
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Nothing is opened before `start`. */
export function createDataLayer(deps: DataLayerDeps): DataLayer {
  const { apiUrl, mode, rest, clock, logger, servers } = deps
  const tools = createDatabase({
    url: deps.listenUrl,
    applicationName: 'pando catalogue',
    connectionsMax: 2,
    onConnectionLost: (error) => logger.warn({ err: error }, 'an idle connection to Postgres was lost'),
  })
  const effectiveConfigs = createEffectiveConfigs(rest)
  const configNow = () => effectiveConfigs(keeper.current()?.inDatabaseConfig).config
  let prepares = rest.preparedStatements
  const poolsOptions = {
    url: apiUrl,
    applicationName: 'pando api',
    mode,
    clock,
    distributes: () => keeper.current()?.shardKeys !== undefined,
    prepares: () => prepares,
    roleSettings: (role: string) => restSessionSettings(configNow(), keeper.current(), role),
  }
  const hasReplicas = servers !== undefined && servers.replicaUrls.length > 0
  const followed = hasReplicas ? servers.commits : deps.commits
  const commits = deps.sharedCommits
  const pools =
    servers === undefined
      ? createPipelinedPools(poolsOptions)
      : createReplicatedPools({
          ...poolsOptions,
          servers,
          replicaUrls: servers.replicaUrls,
          observe: servers.observe,
          onCommit: commits?.tell,
        })
  const { run, transaction } = hasReplicas || followed === undefined ? pools : followWrites(pools, followed, commits)
  const keeper = createCatalogueKeeper({
    load: async ({ generation, previous }) => {
      const catalogue = await load({ tools, rest, effectiveConfigs }, { generation, previous })
      // No replica answers what is compiled for a schema that it does not have yet.
      if (hasReplicas) await servers.raise(tools)
      return catalogue
    },
    listen: (events) =>
      listen({
        url: deps.listenUrl,
        applicationName: 'pando notifications',
        onLost: (error) => logger.warn({ err: error }, 'notifications of Postgres are not heard; connecting again'),
        ...events,
      }),
    channel: rest.channel,
    onLoaded: (catalogue) => {
      logger.info({ generation: catalogue.generation, relations: catalogue.relations.size }, 'catalogue loaded')
      const { config, ignored } = effectiveConfigs(catalogue.inDatabaseConfig)
      if (ignored.length > 0) logger.warn(`these settings of the database have no effect here: ${ignored.join(', ')}`)
      prepares = config.preparedStatements
      pools.retire()
      deps.onCatalogue?.(catalogue, config.schemas)
    },
    onFailed: (failure) => {
      logger.error({ err: failure.error, retryInMs: failure.retryInMs }, 'the catalogue could not be read')
      firstFailure.resolve()
    },
  })
  const firstFailure = Promise.withResolvers<void>()
  return {
    run,
    transaction,
    stats: pools.stats,
    catalogue: keeper.current,
    effectiveConfigs,
    ready: () => (keeper.ready() ? { ready: true } : { ready: false, reason: 'the catalogue is not loaded yet' }),
    countRows: (schemas) => countRows(tools, schemas),
    reload: keeper.reload,
    // A database that is down does not keep a node from listening: it answers 503 until the keeper has had its way.
    start: () => Promise.race([keeper.start(), firstFailure.promise]),
    stop: async () => {
      await keeper.stop()
      commits?.stop()
      await Promise.all([pools.close(), tools.close()])
    },
  }
}

/** Without replicas to choose from: each write is noted, and told to the other nodes. */
function followWrites(
  primary: PipelinedPools,
  commits: CommitLog,
  shared: SharedCommits | undefined,
): Pick<PipelinedPools, 'run' | 'transaction'> {
  return createRoutedPools({ primary, replicas: [], commits, observe: () => {}, onCommit: shared?.tell })
}

/** One picture of one instant, with the schemas that the database itself may name. */
function load(
  { tools, rest, effectiveConfigs }: { tools: Database; rest: RestOptions; effectiveConfigs: EffectiveConfigs },
  context: Pick<Parameters<typeof loadCatalogue>[1], 'generation' | 'previous'>,
) {
  return tools.transaction(async (transaction) => {
    await transaction.query('set transaction isolation level repeatable read, read only')
    const inDatabaseConfig = await loadInDatabaseConfig(transaction.query, preConfigOf(rest))
    const { schemas, extraSearchPath } = effectiveConfigs(inDatabaseConfig).config
    return loadCatalogue(transaction.query, { schemas, extraSearchPath, inDatabaseConfig, ...context })
  })
}
