/** Requests that may be sent again: a share of all, so that a service in trouble does not get many times its load. */
export type RetryBudget = {
  /** Called for each request. */
  readonly earn: () => void
  /** Whether one more may be sent again. */
  readonly spend: () => boolean
}

/** So many may be sent again before the share of a few requests makes a whole one. */
const spare = 10

/** `share` of the requests; what is not used is kept for up to `savedMax` of them. */
export function createRetryBudget({ share, savedMax }: { share: number; savedMax: number }): RetryBudget {
  let saved = Math.min(spare, savedMax)
  return {
    earn: () => {
      saved = Math.min(savedMax, saved + share)
    },
    spend: () => {
      if (share === 0 || saved < 1) return false
      saved -= 1
      return true
    },
  }
}
