import type { Delivery } from './change-run.ts'
import { after, allOf, type Maybe } from './maybe.ts'

/** So many are decided at once: what has to be asked about them goes together. */
const atOnceMax = 100

/** What is told of all that somebody missed, in order. However much it is, it is one thing that waits. */
export function decideMissed<Missed>(
  missed: readonly Missed[],
  decide: (missed: Missed) => Maybe<readonly Delivery[]>,
): Maybe<readonly Delivery[]> {
  const told: Delivery[] = []
  const decideFrom = (start: number): Maybe<readonly Delivery[]> => {
    const end = start + atOnceMax
    return after(allOf(missed.slice(start, end).map(decide)), (outcomes) => {
      for (const deliveries of outcomes) told.push(...deliveries)
      return end < missed.length ? decideFrom(end) : told
    })
  }
  return decideFrom(0)
}
