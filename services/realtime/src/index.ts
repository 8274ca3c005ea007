import type { HttpService } from '@pando/http/service'
import type { FastifyInstance } from 'fastify'
import { createChannels } from './channels/create-channels.ts'
import { createLines } from './channels/lines.ts'
import { createTopics } from './channels/topics.ts'
import type { RealtimeDeps } from './deps.ts'
import { createDocuments } from './documents/documents.ts'
import { followLog } from './follow-log.ts'
import { addBroadcastRoutes } from './rest/add-broadcast-routes.ts'
import { createSockets } from './sockets/create-sockets.ts'
import { openSocket } from './sockets/open-socket.ts'

export { realtimeOptions, type RealtimeOptions } from './config.ts'
export type { RealtimeDeps } from './deps.ts'

/** How often sockets are looked through for those that say nothing, and channels for tokens that are over. */
const lookMs = 1_000
/** A server that restarts (RFC 6455, IANA registry). */
const serviceRestart = 1012

/** Channels over WebSocket, on the wire that the SDKs of Supabase speak (Phoenix channels, vsn 1.0.0 and 2.0.0). */
export function createRealtime(deps: RealtimeDeps): HttpService {
  const counts = countWhatHappens(deps)
  const changes = deps.changes && followLog({ ...deps, onMerged: counts.onMerged }, deps.changes, () => channels)
  const topics = createTopics()
  const { bus, clock, logger } = deps
  const onMalformed = (error: unknown): void => logger.warn({ err: error }, 'what another node says is malformed')
  const lines = bus && createLines({ bus, topics, clock, options: deps.options, onMalformed })
  const documents = createDocuments({ ...deps, lines })
  const channels = createChannels(
    { ...deps, changes: changes?.follow, documents, topics, lines },
    { onDelivered: counts.onDelivered, isForDocument: documents.isAbout },
  )
  const sockets = createSockets({
    options: deps.options,
    clock: deps.clock,
    onMessage: channels.handle,
    onGone: channels.leaveAll,
    onMalformed: (error) => {
      counts.onMalformed()
      if (error !== undefined) deps.logger.error({ err: error }, 'a message of a client could not be handled')
    },
  })
  deps.metrics.gauge({ name: 'realtime_sockets_open', help: 'Sockets that are open now.', read: sockets.count })
  deps.metrics.gauge({ name: 'realtime_channels', help: 'Channels somebody is in.', read: channels.topics.count })
  const stopListening = deps.onSessionEnded(channels.endSession)
  let look: NodeJS.Timeout | undefined
  return {
    name: 'realtime',
    prefix: '/realtime/v1',
    upgrades: true,
    ready: () => ({ ready: true }),
    start: async () => {
      await deps.changes?.reader.start()
      look = setInterval(() => {
        sockets.closeSilent()
        channels.look()
      }, lookMs).unref()
    },
    drain: (spreadMs) => sockets.closeAll(serviceRestart, 'restarting', spreadMs),
    stop: async () => {
      clearInterval(look)
      stopListening()
      changes?.stop()
      await deps.changes?.reader.stop()
      sockets.closeAll(serviceRestart, 'restarting')
      channels.stop()
      await documents.stop()
      await deps.database.close()
    },
    plugin: (app, _options, done) => {
      app.get('/websocket', (request, reply) => openSocket({ ...deps, sockets }, request, reply))
      addBroadcastRoutes(app as FastifyInstance, deps, channels)
      done()
    },
  }
}

function countWhatHappens({ metrics }: RealtimeDeps) {
  const deliveries = metrics.counter({
    name: 'realtime_deliveries_total',
    help: 'Messages put on sockets; a slow socket misses some (dropped), and gets the newest of each row later (merged).',
    labels: ['outcome'],
  })
  const delivered = deliveries.series({ outcome: 'delivered' })
  const dropped = deliveries.series({ outcome: 'dropped' })
  const merged = deliveries.series({ outcome: 'merged' })
  const malformed = metrics
    .counter({ name: 'realtime_malformed_total', help: 'Frames of clients that say nothing.', labels: [] })
    .series({})
  return {
    onDelivered: (got: number, missed: number): void => {
      delivered.add(got)
      if (missed > 0) dropped.add(missed)
    },
    onMerged: (): void => merged.add(),
    onMalformed: (): void => malformed.add(),
  }
}
