import { setTimeout as sleep } from 'node:timers/promises'
import { openRedis } from '@pando/redis/open-redis'
import type { RedisTarget } from '@pando/redis/target'
import type { Redis } from 'ioredis'
import type { Carrier, CarrierEvents } from './carrier.ts'
import type { BusValues } from './config.ts'
import { senderOf } from './envelope.ts'

export type RedisCarrierDeps = CarrierEvents & {
  readonly target: RedisTarget
  readonly nodeId: string
  readonly pendingBytesMax: number
  /** Without an answer for `silence` the connection is given up. */
  readonly options: Pick<BusValues, 'silence' | 'connectTimeout' | 'retryPause' | 'retryPauseMax'>
  readonly random: () => number
}

export type RedisCarrier = Carrier & {
  /** Which deployment's channels are used; it comes before `start`. */
  enter(deployment: string): void
}

/** How long a good-bye may take. Not an option: a process that stops has half a minute in all. */
const quitMs = 2000

/**
 * Pub/sub on one connection (RESP3), which any node of a cluster serves: these messages go to all of its nodes. What is not
 * sent at once because Redis is away is not sent later.
 */
export function createRedisCarrier(deps: RedisCarrierDeps): RedisCarrier {
  const { nodeId, options, random } = deps
  const manners = {
    name: 'pando bus',
    connectMs: options.connectTimeout,
    silenceMs: options.silence,
    retryMs: options.retryPause,
    retryMsMax: options.retryPauseMax,
    random,
  }
  const decided = Promise.withResolvers<void>()
  const channels = new Set<string>()
  let client: Redis | undefined
  let scope = ''
  let state: 'new' | 'up' | 'down' = 'new'
  let isStopped = false
  let pendingBytes = 0
  let lastError: unknown = new Error('Redis closed the connection')

  const nameOf = (channel?: string): string => (channel === undefined ? `${scope}all` : `${scope}to:${channel}`)
  const down = (): void => {
    decided.resolve()
    if (state === 'down' || isStopped) return
    state = 'down'
    deps.onDown('redis', lastError)
  }
  const resubscribe = async (client: Redis): Promise<void> => {
    try {
      await client.subscribe(nameOf(), ...Array.from(channels, nameOf))
    } catch (cause) {
      lastError = cause
      return client.disconnect(true)
    }
    if (state === 'up' || isStopped || client.status !== 'ready') return
    const before = state
    state = 'up'
    deps.onUp('redis', before === 'down')
    decided.resolve()
  }
  const attend = (client: Redis): Redis =>
    client
      .on('error', (cause: unknown) => {
        lastError = cause
      })
      .on('ready', () => void resubscribe(client))
      .on('close', down)
      .on('messageBuffer', (_channel: Buffer, frame: Buffer) => {
        if (senderOf(frame) !== nodeId) deps.onFrame(frame, 'redis')
      })
  return {
    name: 'redis',
    get isUp() {
      return state === 'up'
    },
    enter: (deployment) => {
      scope = `{pando:${deployment}}:`
    },
    send: (frame, channel) => {
      if (state !== 'up' || (pendingBytes > 0 && pendingBytes + frame.length > deps.pendingBytesMax)) return false
      pendingBytes += frame.length
      const sent = (): void => void (pendingBytes -= frame.length)
      client!.publish(nameOf(channel), frame).then(sent, sent)
      return true
    },
    subscribe: async (channel) => {
      channels.add(channel)
      // When it is away, all channels are subscribed to as soon as it is back.
      if (client?.status === 'ready') await client.subscribe(nameOf(channel)).catch(ignore)
    },
    unsubscribe: (channel) => {
      channels.delete(channel)
      if (client?.status === 'ready') client.unsubscribe(nameOf(channel)).catch(ignore)
    },
    start: async () => {
      client = attend(await openRedis(deps.target, manners))
      client.connect().catch(ignore)
      await decided.promise
    },
    stop: async () => {
      isStopped = true
      state = 'down'
      if (client?.status === 'ready')
        await Promise.race([client.quit().catch(ignore), sleep(quitMs, undefined, { ref: false })])
      client?.disconnect()
    },
  }
}

const ignore = (): void => undefined
