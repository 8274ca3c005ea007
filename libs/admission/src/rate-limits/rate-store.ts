/** So many requests in so much time. */
export type RatePolicy = {
  /** Names the policy to clients and in metrics: letters, digits, `-` and `_`. */
  readonly name: string
  /** Requests that may come at once; so many come back in `windowMs`, one by one. */
  readonly quota: number
  readonly windowMs: number
}

/** What became of one token that was asked for. */
export type RateDecision = {
  readonly isTaken: boolean
  /** Whole tokens that are left. */
  readonly remaining: number
  /** Until all tokens are there again. */
  readonly resetMs: number
  /** Until there is a token for this request; 0 when it was taken. */
  readonly retryMs: number
}

/**
 * Where tokens are counted. The local store answers at once and is exact in one process; a store that nodes share answers
 * later, and says itself what holds while it cannot be reached.
 */
export type RateStore = {
  /** Takes `cost` tokens of the bucket `key` under a policy, or none. */
  take(key: string, cost: number, policy: RatePolicy): RateDecision | Promise<RateDecision>
}
