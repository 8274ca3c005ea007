import type { Claims } from '@pando/core/caller'
import { authErrors } from './errors.ts'

export type ClaimRules = {
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  readonly leewayMs: number
  readonly audience: string | null
  /** Whether a token must have an `aud`; if not, one without it passes as in PostgREST. */
  readonly audienceRequired: boolean
}

/** Checks the registered claims (RFC 7519 §4.1) in PostgREST's order. Throws `token.expired` or `token.claims`. */
export function checkClaims(claims: Claims, rules: ClaimRules): void {
  const { nowMs, leewayMs } = rules
  const expMs = timeOf(claims, 'exp')
  if (expMs !== undefined && nowMs > expMs + leewayMs) throw authErrors.expired()
  const nbfMs = timeOf(claims, 'nbf')
  if (nbfMs !== undefined && nbfMs > nowMs + leewayMs) throw authErrors.claims('JWT not yet valid')
  const iatMs = timeOf(claims, 'iat')
  if (iatMs !== undefined && iatMs > nowMs + leewayMs) throw authErrors.claims('JWT issued at future')
  checkAudience(claims.aud, rules)
}

/** The instant after which the token is refused, milliseconds since the epoch; infinite without `exp`. */
export function lastValidMs(claims: Claims, leewayMs: number): number {
  return (timeOf(claims, 'exp') ?? Number.POSITIVE_INFINITY) + leewayMs
}

function timeOf(claims: Claims, name: 'exp' | 'nbf' | 'iat'): number | undefined {
  const seconds = claims[name]
  if (seconds === undefined || seconds === null) return undefined
  if (typeof seconds !== 'number' || !Number.isFinite(seconds))
    throw authErrors.claims(`The JWT '${name}' claim must be a number`)
  return seconds * 1000
}

function checkAudience(claim: unknown, { audience, audienceRequired }: ClaimRules): void {
  const isAbsent = claim === undefined || claim === null || (Array.isArray(claim) && claim.length === 0)
  if (isAbsent && !audienceRequired) return
  const audiences: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
  if (!isAbsent && !audiences.every((each) => typeof each === 'string'))
    throw authErrors.claims("The JWT 'aud' claim must be a string or an array of strings")
  if (audience !== null && !audiences.includes(audience)) throw authErrors.claims('JWT not in audience')
}
