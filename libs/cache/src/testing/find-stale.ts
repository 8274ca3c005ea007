import type { CacheHouse } from './cache-house.ts'

export type StaleRun = { readonly operations: number; readonly workers: number; readonly random: () => number }

export type StaleFound = {
  /** Answers that were older than what the log had told when they were asked for. */
  stale: number
  /** Answers to somebody who had written more. */
  ownLost: number
  readonly outcomes: Map<string, number>
}

const ids = 20

/** Writers and readers of counters that only grow, all at once; each writer reads what they have written. */
export async function findStale(house: CacheHouse, run: StaleRun): Promise<StaleFound> {
  const told = new Map<number, number>()
  const found: StaleFound = { stale: 0, ownLost: 0, outcomes: new Map() }
  let left = run.operations
  const unsubscribe = house.reader.subscribe({
    onTransaction: ({ changes }) => {
      for (const { row } of changes) told.set(Number(row![0]), Number(row![1]))
    },
    onReset: () => {},
  })
  const read = async (id: number, needs = 0n) => {
    const answered = await house.read(id, { needs })
    const outcome = answered.use?.kind === 'kept' ? answered.use.outcome : 'bypass'
    found.outcomes.set(outcome, (found.outcomes.get(outcome) ?? 0) + 1)
    return answered.n
  }
  const work = async (): Promise<void> => {
    while (left-- > 0) {
      const id = 1 + Math.floor(run.random() * ids)
      if (run.random() < 0.1) {
        const { n, lsn } = await house.add(id)
        if ((await read(id, lsn)) < n) found.ownLost += 1
      } else {
        const known = told.get(id) ?? 0
        if ((await read(id)) < known) found.stale += 1
      }
    }
  }
  await Promise.all(Array.from({ length: run.workers }, work))
  unsubscribe()
  return found
}
