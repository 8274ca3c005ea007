import type { ChangesObservation } from '@pando/changes/observation'
import { createChangeReader } from '@pando/changes/reader'
import type { HttpService } from '@pando/http/service'
import { createDatabase } from '@pando/postgres/database'
import { listen } from '@pando/postgres/listen'
import { createRealtime } from '@pando/realtime'
import type { Logger } from '@pando/telemetry/logger'
import type { Metrics } from '@pando/telemetry/metrics'
import type { PostgresAddresses } from './data-layer.ts'
import type { Shared } from './roles.ts'

/** Connections for policies of channels, which many wait for who join at once, and for those of rows that change. */
const connectionsMax = 5

/** Channels, with the log of the database that they follow. */
export function createRealtimeService(
  { authenticate, bus, config, clock, logger, metrics, onSessionEnded }: Shared,
  { realtimeUrl, apiUrl, listenUrl, changesUrl }: PostgresAddresses,
): HttpService {
  const open = (url: string, applicationName: string, prepares: boolean) =>
    createDatabase({
      url,
      applicationName,
      connectionsMax,
      prepares,
      onConnectionLost: (error) => logger.warn({ err: error }, 'an idle connection to Postgres was lost'),
    })
  const asCallers = open(apiUrl, 'pando realtime rows', false)
  const reader = createChangeReader({
    url: changesUrl,
    applicationName: 'pando changes',
    publications: ['supabase_realtime', 'pando_messages'],
    limits: config.changes,
    clock,
    random: Math.random,
    bus,
    observe: renderObservations(logger, metrics),
  })
  const schema = createSchemaNotices(listenUrl, config.rest.channel)
  const service = createRealtime({
    authenticate,
    onSessionEnded,
    database: open(realtimeUrl, 'pando realtime', true),
    changes: { reader, database: asCallers, onSchemaChanged: schema.onChanged },
    bus,
    listen: (what) => listen({ ...what, url: listenUrl, applicationName: 'pando documents' }),
    clock,
    logger,
    metrics,
    options: config.realtime,
  })
  return {
    ...service,
    start: async () => {
      schema.start()
      await service.start()
    },
    stop: async () => {
      await service.stop()
      await Promise.all([schema.stop(), asCallers.close()])
    },
  }
}

/** Hears of each change of the schema: its policies may be others. */
function createSchemaNotices(url: string, channel: string) {
  const listeners = new Set<() => void>()
  const tell = (): void => listeners.forEach((listener) => listener())
  let listener: ReturnType<typeof listen> | undefined
  return {
    onChanged: (callback: () => void): (() => void) => {
      listeners.add(callback)
      return () => listeners.delete(callback)
    },
    start: (): void => {
      const applicationName = 'pando realtime notices'
      listener = listen({ url, applicationName, channels: [channel], onNotice: tell, onReconnected: tell })
    },
    stop: async (): Promise<void> => listener?.stop(),
  }
}

/** Seconds from a commit to here. */
const lagBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 30]

function renderObservations(logger: Logger, metrics: Metrics): (observation: ChangesObservation) => void {
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
        return
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
        return logger.warn({ names: observation.names }, 'publications are missing; their tables are not followed')
      default:
        return logger.debug({ ...observation }, 'the log of changes')
    }
  }
}
