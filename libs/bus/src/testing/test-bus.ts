import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '@pando/core/clock'
import type { ServerUrl } from '@pando/postgres/server-url'
import type { Bus } from '../bus.ts'
import { busOptions, type BusValues } from '../config.ts'
import { createBus } from '../create-bus.ts'
import type { BusObservation } from '../observation.ts'

/** The defaults with a quick heart; the silence stays long, because a busy machine must not make anybody seem gone. */
export const quickBus: BusValues = {
  ...(Object.fromEntries(
    Object.entries(busOptions.options).map(([name, option]) => [name, option.default]),
  ) as BusValues),
  heartbeat: 50,
}

/** A bus that remembers everything it reported. */
export type TestBus = Bus & {
  readonly observations: readonly BusObservation[]
  /** What watchers were told, as `here <id>`, `gone <id>` and `gap`. */
  readonly events: readonly string[]
  count(kind: BusObservation['kind']): number
  /** Nothing is passed on to listeners until the returned function is called: messages are lost. */
  deafen(): () => void
}

export type TestBusOptions = {
  readonly url: ServerUrl
  readonly redisUrl?: string | null
  readonly redisCa?: string
  /** None when it is null. */
  readonly secret?: string
  readonly options?: Partial<BusValues>
}

export function createTestBus({ url, redisUrl = null, redisCa, secret = 'shared', options }: TestBusOptions): TestBus {
  const observations: BusObservation[] = []
  const events: string[] = []
  const bus = createBus({
    url,
    redis: redisUrl === null ? undefined : { url: redisUrl, ca: redisCa },
    secret,
    options: { ...quickBus, ...options },
    clock: systemClock,
    random: Math.random,
    observe: (observation) => observations.push(observation),
  })
  bus.watch({
    onNode: (nodeId, is) => events.push(`${is} ${nodeId}`),
    onGap: () => events.push('gap'),
  })
  let isDeaf = false
  return {
    ...bus,
    subscribe: (channel, listener) =>
      bus.subscribe(channel, (message, from) => {
        if (!isDeaf) listener(message, from)
      }),
    observations,
    events,
    count: (kind) => observations.filter((one) => one.kind === kind).length,
    deafen: () => {
      isDeaf = true
      return () => {
        isDeaf = false
      }
    },
  }
}

/** Fulfils as soon as the condition holds; fails after half a minute, naming it. */
export async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 6000; round++) {
    if (condition()) return
    await sleep(5)
  }
  throw new Error(`this did not come true within half a minute: ${condition}`)
}
