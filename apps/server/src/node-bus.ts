import type { Bus } from '@pando/bus/bus'
import { createBus } from '@pando/bus/create-bus'
import type { BusObservation } from '@pando/bus/observation'
import type { ServerUrl } from '@pando/postgres/server-url'
import { toRedisTarget } from '@pando/redis/target'
import type { Logger } from '@pando/telemetry/logger'
import type { Metrics } from '@pando/telemetry/metrics'
import type { Shared } from './roles.ts'

/**
 * What this node and the others of its deployment tell each other. `url` leads to Postgres without a pooler, `secret` is one that
 * all of them have.
 */
export function createNodeBus(
  { config, clock, logger, metrics }: Pick<Shared, 'config' | 'clock' | 'logger' | 'metrics'>,
  { url, secret }: { readonly url: ServerUrl; readonly secret: string },
): Bus {
  const bus = createBus({
    url,
    redis: toRedisTarget(config.redis),
    secret,
    options: config.bus,
    clock,
    random: Math.random,
    observe: renderObservations(logger, metrics),
  })
  metrics.gauge({
    name: 'bus_other_nodes',
    help: 'Other nodes of the deployment that live, as this one sees it.',
    read: () => bus.nodes().length,
  })
  return bus
}

function renderObservations(logger: Logger, metrics: Metrics): (observation: BusObservation) => void {
  const count = countMessages(metrics)
  const gaps = metrics.counter({
    name: 'bus_gaps_total',
    help: 'Times that messages of other nodes may have been missed; who keeps a picture of them asks anew.',
    labels: ['why'],
  })
  return (observation) => {
    switch (observation.kind) {
      case 'message.sent':
      case 'message.received':
      case 'message.dropped':
      case 'message.double':
      case 'messages.repeated':
        return count(observation)
      case 'gap':
        return gaps.series({ why: observation.why }).add()
      case 'message.unreadable':
        return logger.warn({ err: observation.cause, by: observation.by }, 'a message of another node is malformed')
      case 'carrier.up':
        return logger.info({ carrier: observation.carrier }, 'other nodes can be reached')
      case 'carrier.down':
        return logger.warn({ err: observation.cause, carrier: observation.carrier }, 'other nodes cannot be reached')
      case 'node.here':
        return logger.info({ node: observation.nodeId, nodes: observation.nodes }, 'another node is here')
      case 'node.gone':
        return logger.info({ ...observation }, 'another node is gone')
      case 'listener.failed':
        return logger.error({ err: observation.cause }, 'what another node said could not be taken in')
    }
  }
}

type MessageObservation = Extract<BusObservation, { kind: `message${string}` }>

function countMessages(
  metrics: Metrics,
): (observation: Exclude<MessageObservation, { kind: 'message.unreadable' }>) => void {
  const messages = metrics.counter({
    name: 'bus_messages_total',
    help: 'Messages between nodes: sent, received, dropped, received twice (double), sent again (repeated).',
    labels: ['outcome', 'delivery'],
  })
  const bytes = metrics.counter({ name: 'bus_bytes_total', help: 'Bytes of these messages.', labels: ['outcome'] })
  const series = (outcome: string) => ({
    must: messages.series({ outcome, delivery: 'must' }),
    may: messages.series({ outcome, delivery: 'may' }),
    bytes: bytes.series({ outcome }),
  })
  const of = {
    'message.sent': series('sent'),
    'message.received': series('received'),
    'message.dropped': series('dropped'),
  }
  const doubles = messages.series({ outcome: 'double', delivery: 'must' })
  const repeated = messages.series({ outcome: 'repeated', delivery: 'must' })
  return (observation) => {
    if (observation.kind === 'message.double') return doubles.add()
    if (observation.kind === 'messages.repeated') return repeated.add(observation.messages)
    const counted = of[observation.kind]
    counted[observation.delivery].add()
    counted.bytes.add(observation.bytes)
  }
}
