import type { Caller } from '@pando/core/caller'
import { credentialsOf } from '@pando/http/credentials'
import type { HttpService } from '@pando/http/service'
import { upgradeOf } from '@pando/http/upgrades'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createChannels } from './channels/create-channels.ts'
import type { RealtimeDeps } from './deps.ts'
import { addBroadcastRoutes } from './rest/add-broadcast-routes.ts'
import { createSockets, type Sockets } from './sockets/create-sockets.ts'
import { completeHandshake, whyNoHandshake } from './sockets/handshake.ts'
import type { Version } from './wire/messages.ts'

export { realtimeOptions, type RealtimeOptions } from './config.ts'
export type { RealtimeDeps } from './deps.ts'

/** How often sockets are looked through for those that say nothing, and channels for tokens that are over. */
const lookMs = 1_000
/** A server that restarts (RFC 6455, IANA registry). */
const serviceRestart = 1012

/** Channels over WebSocket, on the wire that the SDKs of Supabase speak (Phoenix channels, vsn 1.0.0 and 2.0.0). */
export function createRealtime(deps: RealtimeDeps): HttpService {
  const counts = countWhatHappens(deps)
  const { queueBytesMax } = deps.options
  const channels = createChannels(deps, { queueBytesMax, onDelivered: counts.onDelivered })
  const sockets = createSockets({
    options: deps.options,
    clock: deps.clock,
    onMessage: channels.handle,
    onGone: channels.leaveAll,
    onMalformed: counts.onMalformed,
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
      look = setInterval(() => {
        sockets.closeSilent()
        channels.endExpired()
      }, lookMs).unref()
    },
    drain: async () => sockets.closeAll(serviceRestart, 'restarting'),
    stop: async () => {
      clearInterval(look)
      stopListening()
      sockets.closeAll(serviceRestart, 'restarting')
      await deps.database.close()
    },
    plugin: (app, _options, done) => {
      app.get('/websocket', (request, reply) => openSocket(deps, sockets, request, reply))
      addBroadcastRoutes(app as FastifyInstance, deps, channels)
      done()
    },
  }
}

const versions: Readonly<Record<string, Version>> = { '1.0.0': 1, '2.0.0': 2 }

async function openSocket(
  { authenticate }: RealtimeDeps,
  sockets: Sockets,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const upgrade = upgradeOf(request.raw)
  if (upgrade === undefined)
    return reply.code(426).header('upgrade', 'websocket').send({ error: 'This address speaks WebSocket only.' })
  const wrong = whyNoHandshake(request)
  if (wrong !== undefined) return reply.code(400).send({ error: wrong })
  const { searchParams } = new URL(request.raw.url!, 'http://unused')
  const version = versions[searchParams.get('vsn') ?? '1.0.0']
  if (version === undefined) return reply.code(400).send({ error: 'vsn must be 1.0.0 or 2.0.0.' })
  const caller: Caller = await authenticate(credentialsOf(request.raw))
  const full = sockets.whyFull(caller)
  if (full !== undefined) return reply.code(429).send({ error: full })
  completeHandshake(request, reply, upgrade)
  sockets.open(upgrade, { version, caller })
  return reply
}

function countWhatHappens({ metrics }: RealtimeDeps) {
  const deliveries = metrics.counter({
    name: 'realtime_deliveries_total',
    help: 'Messages put on sockets; those that a slow socket missed are dropped.',
    labels: ['outcome'],
  })
  const delivered = deliveries.series({ outcome: 'delivered' })
  const dropped = deliveries.series({ outcome: 'dropped' })
  const malformed = metrics
    .counter({ name: 'realtime_malformed_total', help: 'Frames of clients that say nothing.', labels: [] })
    .series({})
  return {
    onDelivered: (got: number, missed: number): void => {
      delivered.add(got)
      if (missed > 0) dropped.add(missed)
    },
    onMalformed: (): void => malformed.add(),
  }
}
