import { createLocalRateStore } from '@pando/admission/rate-limits/local-rate-store'
import type { RateStore } from '@pando/admission/rate-limits/rate-store'
import { createSharedRateStore, type SharedRateObservation } from '@pando/admission/rate-limits/shared-rate-store'
import { deriveKey } from '@pando/http/auth/derive-key'
import { toRedisTarget } from '@pando/redis/target'
import type { Logger } from '@pando/telemetry/logger'
import type { Metrics } from '@pando/telemetry/metrics'
import { randomUUID } from 'node:crypto'
import { listSecrets } from './list-secrets.ts'
import type { Shared } from './roles.ts'

/** Where a node counts how often somebody asks: with all others in Redis where there is one, else alone. */
export type NodeRateStore = RateStore & { start(): void; stop(): Promise<void> }

export function createNodeRateStore({
  config,
  clock,
  logger,
  metrics,
}: Pick<Shared, 'config' | 'clock' | 'logger' | 'metrics'>): NodeRateStore {
  const { rateLimits, redis, bus, jwt } = config
  const local = createLocalRateStore({ clock, bucketsMax: rateLimits.bucketsMax })
  const target = toRedisTarget(redis)
  if (target === undefined || rateLimits.policies.length === 0)
    return { take: local.take, start: () => {}, stop: async () => {} }
  // A node that has only public keys counts with those that have the same.
  const secret = listSecrets(config)[0] ?? jwt.jwks?.reveal() ?? ''
  const store = createSharedRateStore({
    target,
    local,
    key: deriveKey(secret, 'rate limits'),
    nodeId: randomUUID(),
    limits: { answerMsMax: rateLimits.redisTimeout, beatMs: bus.heartbeat, silenceMs: bus.silence },
    manners: {
      name: 'pando rates',
      connectMs: bus.connectTimeout,
      silenceMs: bus.silence,
      retryMs: bus.retryPause,
      retryMsMax: bus.retryPauseMax,
      random: Math.random,
    },
    observe: renderObservations(logger, metrics),
  })
  metrics.gauge({
    name: 'rate_limits_nodes',
    help: 'Nodes that count together in Redis, as they were when it was last heard.',
    read: store.nodes,
  })
  return store
}

function renderObservations(logger: Logger, metrics: Metrics): (observation: SharedRateObservation) => void {
  const alone = metrics
    .counter({
      name: 'rate_limits_counted_alone_total',
      help: 'Tokens that this node asked of itself, because Redis gave no answer in time.',
      labels: [],
    })
    .series({})
  return (observation) => {
    if (observation.kind === 'counted.alone') return alone.add()
    if (observation.isUp) logger.info('rate limits are counted in Redis')
    else logger.warn({ err: observation.cause }, 'Redis cannot be reached: this node counts its share of rate limits')
  }
}
