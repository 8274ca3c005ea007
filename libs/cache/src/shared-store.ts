import { setTimeout as sleep } from 'node:timers/promises'
import { openCluster, openRedis, type RedisManners } from '@pando/redis/open-redis'
import type { RedisTarget } from '@pando/redis/target'
import type { Cluster, Redis } from 'ioredis'
import { decodeKept, encodeKept, type SharedPage } from './encode-kept.ts'
import type { Observe } from './observation.ts'
import { createSeal } from './seal.ts'

export type SharedStoreDeps = {
  readonly target: RedisTarget
  /** What only the processes of the deployment know. */
  readonly secret: string
  /** An answer that takes longer is none, in milliseconds. */
  readonly timeoutMs: number
  /** For how long a page is kept, in milliseconds. */
  readonly ageMsMax: number
  readonly random: () => number
  readonly observe: Observe
}

/** What the processes of a deployment keep together, in Redis. Its loss is felt as having nothing kept. */
export type SharedStore = {
  start(): void
  stop(): Promise<void>
  /** Never rejects; fulfils within the timeout. */
  get(key: string): Promise<SharedPage | undefined>
  /** Neither waits nor throws. */
  set(key: string, page: SharedPage): void
}

const connectMs = 5_000
const pauseMs = 50
const pauseMsMax = 2_000
const quitMs = 2_000
const silenceMsMin = 1_000
/** Pages on their way to Redis; more are not sent. */
const pendingMax = 1_000

export function createSharedStore(deps: SharedStoreDeps): SharedStore {
  const { target, timeoutMs, ageMsMax, random, observe } = deps
  const manners: RedisManners = {
    name: 'pando cache',
    connectMs,
    // One that is frozen is given up, and found again.
    silenceMs: Math.max(20 * timeoutMs, silenceMsMin),
    retryMs: pauseMs,
    retryMsMax: pauseMsMax,
    random,
  }
  const seal = createSeal(deps.secret)
  let client: Redis | Cluster | undefined
  let isUp = false
  let isStopped = false
  let pending = 0

  const enter = (next: boolean, cause?: unknown): void => {
    if (isUp !== next && !isStopped) observe({ kind: 'redis', isUp: next, cause })
    isUp = next
  }
  // One tag for each key: in a cluster they are spread evenly.
  const nameOf = (key: string): string => `pando:cache:${seal.nameOf(key)}`
  const open = (sealed: Buffer, name: string): SharedPage | undefined => {
    try {
      return decodeKept(seal.open(sealed, name))
    } catch (cause) {
      observe({ kind: 'foreign', cause })
    }
  }
  const attend = (opened: Redis | Cluster): void => {
    let lastError: unknown
    const isCurrent = (): boolean => client === opened
    client = opened
    opened.on('error', (cause: unknown) => (lastError = cause))
    opened.on('ready', () => isCurrent() && enter(true))
    opened.on('close', () => isCurrent() && enter(false, lastError))
    opened.connect().catch(ignore)
  }
  const begin = async (isCluster: boolean): Promise<void> => {
    const opened = await (isCluster ? openCluster : openRedis)(target, manners)
    if (isStopped) return opened.disconnect()
    const before = client
    attend(opened)
    before?.disconnect()
  }
  /** A node of a cluster knows some of the keys, and says of the others where they are. */
  const failed = (cause: unknown): undefined => {
    if (isUp && client!.isCluster === false && cause instanceof Error && cause.message.startsWith('MOVED ')) {
      isUp = false
      void begin(true)
    }
  }
  return {
    start: () => void begin(false),
    stop: async () => {
      isStopped = true
      if (isUp) await Promise.race([client?.quit().catch(ignore), sleep(quitMs, undefined, { ref: false })])
      client?.disconnect()
    },
    get: async (key) => {
      if (!isUp) return undefined
      const name = nameOf(key)
      const late = new AbortController()
      const asked = client!.getBuffer(name).catch(failed)
      const found = await Promise.race([asked, sleep(timeoutMs, undefined, { signal: late.signal }).catch(ignore)])
      late.abort()
      return found ? open(found, name) : undefined
    },
    set: (key, page) => {
      if (!isUp || pending >= pendingMax) return
      const name = nameOf(key)
      pending += 1
      client!
        .set(name, seal.seal(encodeKept(page), name), 'PX', ageMsMax)
        .catch(failed)
        .finally(() => (pending -= 1))
    },
  }
}

const ignore = (): undefined => undefined
