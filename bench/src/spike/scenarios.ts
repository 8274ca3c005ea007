/** What makes capacity small, so that one machine can offer many times of it. */
export type Scenario = {
  readonly name: 'waits' | 'computes'
  readonly text: string
  /** Seconds that each request sleeps on a connection to Postgres. */
  readonly pause: number
  /** Rows that each request works through. */
  readonly toil: number
}

/** What a server may use of connections to Postgres; Pando keeps as many for each role's slow reads. */
export const connectionsMax = 8

export const scenarios: readonly Scenario[] = [
  { name: 'waits', text: `each request sleeps 100 ms on one of ${connectionsMax} connections`, pause: 0.1, toil: 0 },
  { name: 'computes', text: 'each request makes Postgres add up 300,000 rows', pause: 0, toil: 300_000 },
]

/** The kinds of requests and their shares of all; a server without one of them gets more of the others. */
export const shares = { refresh: 0.02, payments: 0.02, writes: 0.12, reads: 0.74, bulk: 0.1 } as const
export type KindName = keyof typeof shares

/** One stage of the schedule: so many times what the server can do. */
export type Stage = { readonly times: number; readonly seconds: number }

/**
 * The unloaded server, then its capacity, then more and more, and as little as at first: at its capacity it is chance how many
 * wait, so that no two stages are alike.
 */
export function toStages({ seconds, spikeSeconds }: { seconds: number; spikeSeconds: number }): readonly Stage[] {
  return [
    { times: 0.5, seconds },
    { times: 1, seconds },
    { times: 2, seconds },
    { times: 5, seconds },
    { times: 10, seconds: spikeSeconds },
    { times: 0.5, seconds },
  ]
}

/** After so long nobody waits for an answer. */
export const timeoutMs = 2_000
