/** After so long half of what a caller had is forgotten. */
export const halfLifeMs = 2_000

type Share = { had: number; atMs: number; waiting: number }

/**
 * How much each caller has had lately, for those who had to wait. Whoever had least is next, so that a caller who asks
 * a hundred times as often gets no more than the others.
 */
export type FairShares = {
  /** Turn of one more request of this caller: whole places that it had lately, and those that wait before this one. */
  turnOf(caller: string, nowMs: number): number
  began(caller: string, nowMs: number): void
  waits(caller: string, by: 1 | -1): void
  readonly size: number
}

/** Keeps at most `callersMax` callers; who has not been seen for longest is forgotten. */
export function createFairShares(callersMax: number): FairShares {
  const shares = new Map<string, Share>()

  const shareOf = (caller: string): Share => {
    let share = shares.get(caller)
    if (share !== undefined) return share
    if (shares.size >= callersMax) shares.delete(shares.keys().next().value!)
    shares.set(caller, (share = { had: 0, atMs: 0, waiting: 0 }))
    return share
  }
  const now = (share: Share, nowMs: number): number => share.had * 2 ** ((share.atMs - nowMs) / halfLifeMs)

  return {
    turnOf(caller, nowMs) {
      const share = shares.get(caller)
      return share === undefined ? 0 : Math.floor(now(share, nowMs)) + share.waiting
    },
    began(caller, nowMs) {
      const share = shareOf(caller)
      share.had = now(share, nowMs) + 1
      share.atMs = nowMs
      // Last again in the order of insertion, which is the order of forgetting.
      shares.delete(caller)
      shares.set(caller, share)
    },
    waits(caller, by) {
      const share = shareOf(caller)
      share.waiting = Math.max(0, share.waiting + by)
    },
    get size() {
      return shares.size
    },
  }
}
