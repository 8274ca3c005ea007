import { keptPublication } from '@pando/cache/analysis'
import type { ChangesObservation } from '@pando/changes/observation'
import { type ChangeReader, createChangeReader } from '@pando/changes/reader'
import type { ServerUrl } from '@pando/postgres/server-url'
import type { Logger } from '@pando/telemetry/logger'
import type { Metrics } from '@pando/telemetry/metrics'
import type { Shared } from './roles.ts'
import { createSlotAlarm } from './slot-alarm.ts'

/**
 * The log of changes, which all services of a node follow together. Whoever needs it starts and stops it, the first and the last
 * time counts. Each node reads the same publications, because any of them may be the one that the others follow.
 */
export function createChangeLog({ bus, config, clock, logger, metrics }: Shared, url: ServerUrl): ChangeReader {
  return createChangeReader({
    url,
    applicationName: 'pando changes',
    publications: ['supabase_realtime', 'pando_messages', keptPublication],
    limits: config.changes,
    clock,
    random: Math.random,
    bus,
    observe: renderObservations(logger, metrics, createSlotAlarm(logger, config.changes.retainedBytesAlarm)),
  })
}

/** Seconds from a commit to here. */
const lagBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 30]

function renderObservations(
  logger: Logger,
  metrics: Metrics,
  alarm: ReturnType<typeof createSlotAlarm>,
): (observation: ChangesObservation) => void {
  const lag = metrics
    .histogram({
      name: 'realtime_change_lag_seconds',
      help: 'From the commit of a transaction to its arrival at this node.',
      labels: [],
      buckets: lagBuckets,
    })
    .series({})
  const resets = metrics
    .counter({ name: 'realtime_log_resets_total', help: 'Times that the log of changes began anew.', labels: [] })
    .series({})
  let retained = 0
  let isLost = false
  metrics.gauge({
    name: 'realtime_log_retained_bytes',
    help: 'Log that Postgres keeps for this installation; it gives up above max_slot_wal_keep_size.',
    read: () => retained,
  })
  return (observation) => {
    switch (observation.kind) {
      case 'transaction.read':
        return lag.observe(observation.lagMs / 1000)
      case 'slot.checked':
        retained = observation.retainedBytes
        return alarm(observation)
      case 'log.reset':
        resets.add()
        return logger.warn({ reason: observation.reason }, 'the log of changes began anew; clients fetch again')
      case 'stream.lost':
        // Once for all attempts until it is read again.
        if (!isLost) logger.warn({ err: observation.cause }, 'the log of changes is not read; trying again')
        isLost = true
        return
      case 'reader.state':
        if (observation.state === 'reading') isLost = false
        return logger.debug({ state: observation.state }, 'the log of changes')
      case 'listener.failed':
        return logger.error({ err: observation.cause }, 'a change could not be passed on')
      case 'relay.failed':
        return logger.warn({ err: observation.cause }, 'changes could not be passed between nodes')
      case 'slot.given_up':
        return logger.warn({ slot: observation.slot, reason: observation.reason }, 'the replication slot was given up')
      case 'publications.missing':
        // That of the cache is made by who wants one.
        if (observation.names.join() === keptPublication) return undefined
        return logger.warn({ names: observation.names }, 'publications are missing; their tables are not followed')
      default:
        return logger.debug({ ...observation }, 'the log of changes')
    }
  }
}
