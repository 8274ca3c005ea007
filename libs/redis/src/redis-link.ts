import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster, Redis } from 'ioredis'
import { openCluster, openRedis, type RedisManners } from './open-redis.ts'
import type { RedisTarget } from './target.ts'

export type RedisClient = Redis | Cluster

export type RedisLinkDeps = {
  readonly target: RedisTarget
  readonly manners: RedisManners
  /** Told when it can be used and when it cannot; `cause` says why not. */
  readonly onChange: (isUp: boolean, cause?: unknown) => void
}

/** A way to Redis for commands on keys, made again whenever it breaks. */
export type RedisLink = {
  /** Undefined while Redis is away. */
  readonly client: RedisClient | undefined
  start(): void
  stop(): Promise<void>
}

/** How long a good-bye may take. Not an option: a process that stops has half a minute in all. */
const quitMs = 2000

export function createRedisLink({ target, manners, onChange }: RedisLinkDeps): RedisLink {
  let opened: RedisClient | undefined
  let state: 'new' | 'up' | 'down' = 'new'
  let isStopped = false

  const enter = (next: 'up' | 'down', cause?: unknown): void => {
    if (state === next || isStopped) return
    state = next
    onChange(next === 'up', cause)
  }
  const use = (client: RedisClient): void => {
    if (isStopped) return client.disconnect()
    let lastError: unknown = new Error('Redis closed the connection')
    opened?.disconnect()
    opened = client
    const isCurrent = (): boolean => client === opened
    client.on('error', (cause: unknown) => (lastError = cause))
    client.on('ready', () => void ready(client))
    client.on('close', () => isCurrent() && enter('down', lastError))
    client.connect().catch(ignore)
  }
  /** A node of a cluster answers for some of the keys only. */
  const ready = async (client: RedisClient): Promise<void> => {
    const isOfCluster = !client.isCluster && (await client.info('cluster').catch(ignore))?.includes('cluster_enabled:1')
    if (client !== opened) return
    if (isOfCluster === true) use(await openCluster(target, manners))
    else if (client.status === 'ready') enter('up')
  }
  return {
    get client() {
      return state === 'up' ? opened : undefined
    },
    start: () => void openRedis(target, manners).then(use),
    stop: async () => {
      isStopped = true
      if (state === 'up') await Promise.race([opened?.quit().catch(ignore), sleep(quitMs, undefined, { ref: false })])
      opened?.disconnect()
    },
  }
}

const ignore = (): undefined => undefined
