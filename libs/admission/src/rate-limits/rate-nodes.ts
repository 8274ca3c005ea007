import type { RedisLink } from '@pando/redis/redis-link'
import { createScript } from '@pando/redis/script'
import { countNodes } from './scripts.ts'

export type RateNodesDeps = {
  readonly link: RedisLink
  /** Where Redis keeps them. */
  readonly key: string
  readonly nodeId: string
  readonly beatMs: number
  readonly silenceMs: number
}

/** The nodes that count together. */
export type RateNodes = {
  /** How many there were when Redis was last heard, this one among them. */
  count(): number
  /** Says now that this one lives, as it does again and again once it has started. */
  beat(): void
  start(): void
  /** Says good-bye. */
  stop(): Promise<void>
}

export function createRateNodes({ link, key, nodeId, beatMs, silenceMs }: RateNodesDeps): RateNodes {
  const run = createScript(countNodes)
  let count = 1
  let timer: NodeJS.Timeout | undefined

  const beat = async (): Promise<void> => {
    const found = link.client && (await run(link.client, key, [nodeId, silenceMs]).catch(() => undefined))
    if (typeof found === 'number') count = found
  }
  return {
    count: () => count,
    beat: () => void beat(),
    start: () => {
      timer = setInterval(() => void beat(), beatMs).unref()
    },
    stop: async () => {
      clearInterval(timer)
      await link.client?.zrem(key, nodeId).catch(() => undefined)
    },
  }
}
