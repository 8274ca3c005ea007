import { createRedisLink, type RedisClient } from '@pando/redis/redis-link'
import type { RedisManners } from '@pando/redis/open-redis'
import type { RedisTarget } from '@pando/redis/target'
import { createScript } from '@pando/redis/script'
import { createHmac } from 'node:crypto'
import { type LocalRateStore, toDecision } from './local-rate-store.ts'
import { createRateNodes } from './rate-nodes.ts'
import type { RateDecision, RatePolicy, RateStore } from './rate-store.ts'
import { takeTokens } from './scripts.ts'

export type SharedRateStoreDeps = {
  readonly target: RedisTarget
  readonly manners: RedisManners
  /** Takes over while Redis does not answer. */
  readonly local: LocalRateStore
  /** The same for the nodes that count together, and for nobody else who uses this Redis. Names are made with it, too. */
  readonly key: Buffer
  /** Names this process among them. */
  readonly nodeId: string
  readonly limits: SharedRateLimits
  readonly observe: (observation: SharedRateObservation) => void
}

/** Times are milliseconds. */
export type SharedRateLimits = {
  /** An answer that takes longer is not waited for. */
  readonly answerMsMax: number
  /** How often a node says that it counts, and after which silence it is taken for gone. */
  readonly beatMs: number
  readonly silenceMs: number
}

export type SharedRateObservation =
  | { readonly kind: 'redis'; readonly isUp: boolean; readonly cause?: unknown }
  /** A request was counted by this process alone. */
  | { readonly kind: 'counted.alone' }

/** A store of which all nodes of a deployment have the same buckets. */
export type SharedRateStore = RateStore & {
  start(): void
  stop(): Promise<void>
  /** The nodes that count together, this one among them, as they were when Redis was last heard. */
  nodes(): number
}

/**
 * Counts in Redis, by its clock: one script on one key, in one trip. While Redis gives no answer each node counts by itself and
 * lets pass its share of what there is: a policy's quota divided by the nodes there were.
 */
export function createSharedRateStore(deps: SharedRateStoreDeps): SharedRateStore {
  const { local, limits, observe } = deps
  const link = createRedisLink({
    ...deps,
    onChange: (isUp, cause) => {
      observe({ kind: 'redis', isUp, cause })
      if (isUp) nodes.beat()
    },
  })
  const nameOf = (name: string): string =>
    `pando:rates:${createHmac('sha256', deps.key).update(name).digest('base64url')}`
  const run = createScript(takeTokens)
  const nodes = createRateNodes({ link, key: nameOf('nodes'), nodeId: deps.nodeId, ...limits })
  /** One that had to be waited for too long is still on its way: nobody else waits before it is there. */
  let isLate = false

  const ask = async (client: RedisClient, bucket: string, account: Account): Promise<RateDecision | undefined> => {
    const answer = run(client, nameOf(bucket), [account.cost * toTokenMs(account.policy), account.policy.windowMs])
    const found = await within(limits.answerMsMax, answer.catch(noAnswer))
    if (found === tooLate) {
      isLate = true
      void answer.catch(noAnswer).finally(() => (isLate = false))
    }
    return Array.isArray(found) ? toTaken(account.policy, found.map(Number)) : undefined
  }
  return {
    async take(key, cost, policy) {
      const { client } = link
      const shared = client && !isLate ? await ask(client, `${policy.name} ${key}`, { cost, policy }) : undefined
      if (shared !== undefined) return shared
      observe({ kind: 'counted.alone' })
      return local.take(key, cost, toShare(policy, nodes.count()))
    },
    nodes: nodes.count,
    start: () => {
      link.start()
      nodes.start()
    },
    stop: async () => {
      await nodes.stop()
      await link.stop()
    },
  }
}

type Account = { readonly cost: number; readonly policy: RatePolicy }

const toTokenMs = ({ windowMs, quota }: RatePolicy): number => windowMs / quota

const toTaken = (policy: RatePolicy, [debtMs, retryMs]: number[]): RateDecision =>
  toDecision(policy, { debtMs: debtMs!, retryMs: retryMs! })

/** One of `nodes` equal parts: as many tokens less at once, at least one, and the rest comes back so much slower. */
function toShare(policy: RatePolicy, nodes: number): RatePolicy {
  const quota = Math.max(1, Math.floor(policy.quota / nodes))
  return { ...policy, quota, windowMs: quota * nodes * toTokenMs(policy) }
}

const noAnswer = (): undefined => undefined
const tooLate = Symbol('too late')

async function within<T>(ms: number, answer: Promise<T>): Promise<T | typeof tooLate> {
  const { promise: over, resolve } = Promise.withResolvers<typeof tooLate>()
  const timer = setTimeout(resolve, ms, tooLate)
  try {
    return await Promise.race([answer, over])
  } finally {
    clearTimeout(timer)
  }
}
