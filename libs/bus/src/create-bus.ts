import { randomBytes } from 'node:crypto'
import type { Clock } from '@pando/core/clock'
import type { ServerUrl } from '@pando/postgres/server-url'
import type { RedisTarget } from '@pando/redis/target'
import type { Bus } from './bus.ts'
import type { CarrierEvents } from './carrier.ts'
import type { BusValues } from './config.ts'
import { decodeEnvelope, nodeIdLength } from './envelope.ts'
import { createInbox } from './inbox.ts'
import type { Observe } from './observation.ts'
import { createOutbox } from './outbox.ts'
import { createPeers, type Message } from './peers.ts'
import { createPostgresCarrier } from './postgres-carrier.ts'
import { createRedisCarrier } from './redis-carrier.ts'
import { createSeal } from './seal.ts'
import { createSubscriptions } from './subscriptions.ts'
import { createWatchers } from './watchers.ts'

export type BusDeps = {
  /**
   * A direct connection to the deployment's database: `listen` does not work through a pooler in transaction mode. Who gives a
   * function follows the primary.
   */
  readonly url: ServerUrl
  /** Without it everything goes through Postgres. */
  readonly redis: RedisTarget | undefined
  /**
   * What only the processes of the deployment know, the same for all: what goes through Postgres is sealed with it. Without it
   * every role that may connect to the database can read it and make messages of its own.
   */
  readonly secret: string
  readonly options: BusValues
  readonly clock: Clock
  /** Numbers in [0, 1) that spread the pauses. */
  readonly random: () => number
  readonly observe: Observe
}

/** How long a process that starts waits for the others to name themselves. Not an option: who comes later is met as well. */
const helloMs = 1000
/** Room for the head of a message. */
const headBytesMax = 70_000

/** Postgres carries who lives, and everything while there is no Redis; see `README.md`. */
export function createBus(deps: BusDeps): Bus {
  const { clock, observe, options, url, random } = deps
  const nodeId = randomBytes((nodeIdLength * 3) / 4).toString('base64url')
  const started = Promise.withResolvers<void>()
  const watchers = createWatchers(observe)
  let beating: NodeJS.Timeout | undefined
  let beatAtMs = 0
  /** From when on others could be heard. */
  let hearsSinceMs = 0
  let joining: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  const events: CarrierEvents = {
    onFrame: (frame, by) => {
      try {
        take(decodeEnvelope(frame), by)
      } catch (cause) {
        observe({ kind: 'message.unreadable', by, cause })
      }
    },
    onUp: (by, again) => {
      observe({ kind: 'carrier.up', carrier: by })
      if (by === 'postgres') hearsSinceMs = clock.monotonic()
      if (again) watchers.gap(by === 'postgres' ? 'postgres_was_away' : 'redis_was_away')
      if (by === 'postgres') joining ??= join()
      outbox.beat({ asks: again })
    },
    onDown: (by, cause) => {
      observe({ kind: 'carrier.down', carrier: by, cause })
      outbox.lost(by)
      outbox.beat()
    },
    onUnreadable: (by, cause) => observe({ kind: 'message.unreadable', by, cause }),
  }
  const postgres = createPostgresCarrier({
    ...events,
    url,
    nodeId,
    random,
    seal: createSeal(deps.secret, nodeId),
    frameBytesMax: options.messageBytesMax + headBytesMax,
    pendingBytesMax: options.pendingBytesMax,
    heartbeatMs: options.heartbeat,
    connectMs: options.connectTimeout,
  })
  const redis =
    deps.redis === undefined
      ? undefined
      : createRedisCarrier({
          ...events,
          target: deps.redis,
          nodeId,
          random,
          pendingBytesMax: options.pendingBytesMax,
          options,
        })
  const subscriptions = createSubscriptions({ carrier: redis ?? postgres, observe })
  const deliver = ({ channel, body, sender }: Message): void => subscriptions.deliver(channel, body, sender)
  const peers = createPeers({
    clock,
    observe,
    watchers,
    options,
    heldBytesMax: options.pendingBytesMax,
    deliver,
    ask: (to, from) => outbox.tell({ is: 'ask', to, from }),
    forget: postgres.forget,
  })
  const outbox = createOutbox({ nodeId, clock, observe, options, postgres, redis, peers })

  const take = createInbox({ nodeId, observe, peers, outbox, watchers, deliver })
  /** Once Postgres is there: finds the others. */
  const join = async (): Promise<void> => {
    try {
      const { listeners, deployment } = await postgres.survey()
      redis?.enter(deployment)
      await redis?.start()
      outbox.beat({ asks: true })
      await peers.untilMet(listeners - 1, helloMs)
    } catch {
      // Whether Postgres is there is for the carrier to say.
      joining = undefined
    }
  }
  const onBeat = (): void => {
    const nowMs = clock.monotonic()
    // A process that was stopped itself has heard nobody.
    if (nowMs - beatAtMs > options.silence / 2) hearsSinceMs = nowMs
    beatAtMs = nowMs
    if (postgres.isUp) {
      joining ??= join()
      peers.sweep(hearsSinceMs)
    }
    outbox.beat()
  }
  const stop = async (): Promise<void> => {
    clearInterval(beating)
    outbox.bye()
    await Promise.all([redis?.stop(), postgres.stop()])
    watchers.stop()
    peers.stop()
    started.resolve()
  }
  return {
    nodeId,
    publish: outbox.publish,
    subscribe: (channel, listener) => subscriptions.subscribe(channel, listener, started.promise),
    nodes: peers.nodeIds,
    watch: watchers.watch,
    start: async () => {
      beatAtMs = clock.monotonic()
      beating = setInterval(onBeat, options.heartbeat)
      await postgres.start()
      await joining
      started.resolve()
    },
    stop: () => (stopping ??= stop()),
  }
}
