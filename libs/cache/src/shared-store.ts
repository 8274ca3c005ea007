import type { RedisManners } from '@pando/redis/open-redis'
import { createRedisLink } from '@pando/redis/redis-link'
import type { RedisTarget } from '@pando/redis/target'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeKept, encodeKept, type SharedPage } from './encode-kept.ts'
import type { Observe } from './observation.ts'
import { createSeal } from './seal.ts'

export type SharedStoreDeps = {
  readonly target: RedisTarget
  readonly manners: RedisManners
  /** What only the processes of the deployment know. */
  readonly secret: string
  readonly limits: SharedStoreLimits
  readonly observe: Observe
}

/** Times are milliseconds. */
export type SharedStoreLimits = {
  /** An answer that takes longer is none. */
  readonly timeoutMs: number
  /** For how long a page is kept. */
  readonly ageMsMax: number
  /** Pages on their way to Redis; more are not sent. */
  readonly pendingMax: number
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

export function createSharedStore(deps: SharedStoreDeps): SharedStore {
  const { limits, observe } = deps
  const link = createRedisLink({ ...deps, onChange: (isUp, cause) => observe({ kind: 'redis', isUp, cause }) })
  const seal = createSeal(deps.secret)
  let pending = 0
  /** Answers that were waited for too long and are still on their way: nobody else waits before they are there. */
  let late = 0

  // One tag for each key: in a cluster they are spread evenly.
  const nameOf = (key: string): string => `pando:cache:${seal.nameOf(key)}`
  const open = (sealed: Buffer, name: string): SharedPage | undefined => {
    try {
      return decodeKept(seal.open(sealed, name))
    } catch (cause) {
      observe({ kind: 'foreign', cause })
    }
  }
  const inTime = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    const waiting = new AbortController()
    const over = sleep(limits.timeoutMs, tooLate, { signal: waiting.signal }).catch(ignore)
    const found = await Promise.race([answer, over])
    waiting.abort()
    if (found !== tooLate) return found
    late += 1
    void answer.finally(() => (late -= 1))
  }
  return {
    start: link.start,
    stop: link.stop,
    get: async (key) => {
      const { client } = link
      if (client === undefined || late > 0) return undefined
      const name = nameOf(key)
      const found = await inTime(client.getBuffer(name).catch(ignore))
      return found ? open(found, name) : undefined
    },
    set: (key, page) => {
      const { client } = link
      if (client === undefined || pending >= limits.pendingMax) return
      const name = nameOf(key)
      pending += 1
      client
        .set(name, seal.seal(encodeKept(page), name), 'PX', limits.ageMsMax)
        .catch(ignore)
        .finally(() => (pending -= 1))
    },
  }
}

const tooLate = Symbol('too late')
const ignore = (): undefined => undefined
