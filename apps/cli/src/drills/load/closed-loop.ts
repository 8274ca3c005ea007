import { setTimeout as sleep } from 'node:timers/promises'

import type { Kind } from './open-loop.ts'
import { choose, toOutcome } from './open-loop.ts'

export type ClosedLoop = {
  /** So many at once ask one after the other. */
  readonly callers: number
  readonly seconds: number
  readonly random: () => number
  readonly stopped: AbortSignal
}

/** Whoever is not answered rests so long. */
const pauseMs = 50
/** Where nothing is answered at all, so much is multiplied. */
const perSecondMin = 1

/** How many requests can be answered in a second; the first half of the time warms up. */
export async function findCapacity(
  kinds: readonly Kind[],
  { callers, seconds, random, stopped }: ClosedLoop,
): Promise<number> {
  const startMs = performance.now()
  const middleMs = startMs + seconds * 500
  const endMs = startMs + seconds * 1000
  let answered = 0
  const keepAsking = async (): Promise<void> => {
    while (performance.now() < endMs && !stopped.aborted) {
      const { outcome } = toOutcome(await choose(kinds, random).send())
      if (outcome !== 'answered') await sleep(pauseMs)
      else if (performance.now() > middleMs && performance.now() <= endMs) answered += 1
    }
  }
  await Promise.all(Array.from({ length: callers }, keepAsking))
  return Math.max(perSecondMin, answered / (seconds / 2))
}
