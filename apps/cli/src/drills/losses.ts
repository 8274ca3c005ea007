/** A row that the load wrote. */
export type Written = { readonly id: number; readonly ref: string }

/** What somebody has who followed the rows from before the first until after the last. */
export type Heard = {
  readonly got: readonly number[]
  /** Told a second time, and known as such by the cursor. */
  readonly again: readonly number[]
  /** What was said instead of what was missed: then they fetch. */
  readonly resyncs: readonly string[]
}

export type Losses = {
  readonly acknowledgedWrites: number
  /** Acknowledged, and not in the database. */
  readonly lostWrites: number
  /** In the database more often than they were sent. */
  readonly doubledWrites: number
  readonly followers: number
  /** Rows times followers. */
  readonly events: number
  /** Neither told, nor fetched when they were told to fetch. */
  readonly missingEvents: number
  readonly doubledEvents: number
  /** Events of rows that are not there. */
  readonly falseEvents: number
  /** How often followers were told that there is something they have to fetch. */
  readonly toldToFetch: number
}

/** Compares what was promised with what is there. Each `ref` was sent once. */
export function findLosses(
  acknowledged: ReadonlySet<string>,
  written: readonly Written[],
  heard: readonly Heard[],
): Losses {
  const refs = new Set(written.map(({ ref }) => ref))
  const ids = written.map(({ id }) => id)
  const known = new Set(ids)
  const sum = (count: (one: Heard) => number): number => heard.reduce((total, one) => total + count(one), 0)
  return {
    acknowledgedWrites: acknowledged.size,
    lostWrites: [...acknowledged].filter((ref) => !refs.has(ref)).length,
    doubledWrites: written.length - refs.size,
    followers: heard.length,
    events: ids.length * heard.length,
    missingEvents: sum(({ got }) => known.difference(new Set(got)).size),
    doubledEvents: sum(({ got, again }) => got.length - new Set(got).size + again.length),
    falseEvents: sum(({ got }) => new Set(got).difference(known).size),
    toldToFetch: sum(({ resyncs }) => resyncs.length),
  }
}
