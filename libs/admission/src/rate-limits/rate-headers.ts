import type { RateDecision, RatePolicy } from './rate-store.ts'

export type Decided = { readonly policy: RatePolicy; readonly decision: RateDecision }

/** Whole seconds, upwards; fractions of a millisecond are the clock's. */
const toSeconds = (ms: number): number => Math.ceil(Math.round(ms) / 1000)

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy` (§3) with quota `q` and window `w`,
 * `RateLimit` (§4) with what remains, `r`, and until it is all there again, `t`; and `Retry-After` (RFC 9110 §10.2.3) when
 * a request was refused: until every limit lets it pass. Times are whole seconds, rounded up.
 */
export function rateHeaders(all: readonly Decided[]): Record<string, string> {
  const retryMs = Math.max(0, ...all.map(({ decision }) => decision.retryMs))
  const policies = all.map(({ policy }) => `"${policy.name}";q=${policy.quota};w=${toSeconds(policy.windowMs)}`)
  const states = all.map(
    ({ policy, decision }) => `"${policy.name}";r=${decision.remaining};t=${toSeconds(decision.resetMs)}`,
  )
  return {
    'ratelimit-policy': policies.join(', '),
    ratelimit: states.join(', '),
    ...(retryMs > 0 && { 'retry-after': String(toSeconds(retryMs)) }),
  }
}
