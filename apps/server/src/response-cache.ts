import type { CacheObservation } from '@pando/cache/observation'
import { createResponseCache, type ResponseCache } from '@pando/cache/response-cache'
import { createSharedStore, type SharedStore } from '@pando/cache/shared-store'
import type { ChangeReader } from '@pando/changes/reader'
import { createDatabase } from '@pando/postgres/database'
import type { CommitLog } from '@pando/postgres/replicas/commit-log'
import type { ServerUrl } from '@pando/postgres/server-url'
import { toRedisTarget } from '@pando/redis/target'
import type { Logger } from '@pando/telemetry/logger'
import type { Metrics } from '@pando/telemetry/metrics'
import type { Shared } from './roles.ts'

export type NodeCacheDeps = {
  readonly reader: ChangeReader
  /** To the primary, without a pooler. */
  readonly url: ServerUrl
  /** One that all nodes of the deployment have; without it they keep nothing together. */
  readonly secret: string | undefined
  /** What callers have written, where nobody else tells it how far the primary's log is. */
  readonly commits?: CommitLog
}

/** The cache of a node, and the log that it follows. */
export type NodeCache = ResponseCache & { stop(): Promise<void> }

export function createNodeCache({ config, clock, logger, metrics }: Shared, deps: NodeCacheDeps): NodeCache {
  const { reader, commits } = deps
  const observe = renderObservations(logger, metrics)
  const database = createDatabase({
    url: deps.url,
    applicationName: 'pando cache',
    connectionsMax: 2,
    answerMsMax: config.cache.lagMax,
    prepares: true,
    onConnectionLost: (error) => logger.warn({ err: error }, 'an idle connection to Postgres was lost'),
  })
  const shared = openShared(config, deps.secret, observe)
  const cache = createResponseCache({
    options: config.cache,
    reader,
    database,
    shared,
    clock,
    observe,
    onMark: ({ lsn, askedAtMs }) => commits?.reached(lsn, askedAtMs),
  })
  showSizes(cache, metrics)
  return {
    ...cache,
    start: () => {
      shared?.start()
      cache.start()
      void reader.start()
    },
    stop: async () => {
      await cache.stop()
      await Promise.all([reader.stop(), shared?.stop(), database.close()])
    },
  }
}

function openShared(
  { cache, redis, bus }: Shared['config'],
  secret: string | undefined,
  observe: (observation: CacheObservation) => void,
): SharedStore | undefined {
  const target = toRedisTarget(redis)
  if (target === undefined || secret === undefined) return undefined
  return createSharedStore({
    target,
    secret,
    limits: { timeoutMs: cache.sharedTimeout, ageMsMax: cache.ageMax, pendingMax: cache.sharedPendingMax },
    manners: {
      name: 'pando cache',
      connectMs: bus.connectTimeout,
      silenceMs: bus.silence,
      retryMs: bus.retryPause,
      retryMsMax: bus.retryPauseMax,
      random: Math.random,
    },
    observe,
  })
}

function showSizes(cache: ResponseCache, metrics: Metrics): void {
  metrics.gauge({ name: 'cache_answers', help: 'Answers that are kept.', read: () => cache.size.answers })
  metrics.gauge({ name: 'cache_bytes', help: 'Memory that they take.', read: () => cache.size.bytes })
  metrics.gauge({
    name: 'cache_lag_seconds',
    help: 'So long ago is the moment up to which the log of changes is known; absent while kept answers are not used.',
    read: () => {
      const lagMs = cache.lagMs()
      return lagMs === undefined ? [] : [{ labels: {}, value: lagMs / 1000 }]
    },
  })
}

/** Seconds between the moment of which an answer is known to be right and its use. */
const ageBuckets = [0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10]

function renderObservations(logger: Logger, metrics: Metrics): (observation: CacheObservation) => void {
  const reads = metrics.counter({
    name: 'cache_reads_total',
    help: 'Reads of kept tables: kept here (hit, or stale while shedding) or in Redis (shared), asked for by another request (collapsed), read (miss), not kept (bypass).',
    labels: ['outcome'],
  })
  const outcomes = {
    hit: reads.series({ outcome: 'hit' }),
    stale: reads.series({ outcome: 'stale' }),
    shared: reads.series({ outcome: 'shared' }),
    collapsed: reads.series({ outcome: 'collapsed' }),
    miss: reads.series({ outcome: 'miss' }),
    bypass: reads.series({ outcome: 'bypass' }),
  }
  const invalidated = metrics
    .counter({ name: 'cache_invalidations_total', help: 'Kept answers that a change made wrong.', labels: [] })
    .series({})
  const ages = metrics
    .histogram({
      name: 'cache_age_seconds',
      help: 'Of kept answers that were given: so long ago is the moment of which they are known to be right.',
      labels: [],
      buckets: ageBuckets,
    })
    .series({})
  return (observation) => {
    switch (observation.kind) {
      case 'read':
        outcomes[observation.outcome].add()
        if (observation.ageMs !== undefined) ages.observe(observation.ageMs / 1000)
        return
      case 'invalidated':
        return invalidated.add()
      case 'emptied':
        return logger.debug({ because: observation.because }, 'kept answers are let go')
      case 'hindered': {
        const { table, role, reason } = observation
        return logger.info({ table, role, reason }, 'an answer to a read of this table cannot be kept')
      }
      case 'unknown':
        return logger.warn(
          { err: observation.cause },
          'Postgres does not say what the cache must know; nothing is kept',
        )
      case 'redis':
        if (observation.isUp) return logger.info('answers are kept in Redis too')
        return logger.warn({ err: observation.cause }, 'Redis is away: answers are kept in this process alone')
      case 'foreign':
        return logger.warn({ err: observation.cause }, 'Redis gave an answer that was not made by this deployment')
    }
  }
}
