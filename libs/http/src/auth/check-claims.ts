import type { Claims } from '@pando/core/caller'
import { authErrors } from './errors.ts'

export type ClaimRules = {
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  readonly leewayMs: number
  /** Whoever a token may be made for; `null` for anybody. */
  readonly audiences: readonly string[] | null
  /** The claims that may say for whom it was made; the first that is there counts. */
  readonly audienceClaims: readonly string[]
  /** Whether a token must say for whom it was made; if not, one that does not passes as in PostgREST. */
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
  checkAudience(claims, rules)
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

function checkAudience(claims: Claims, { audiences, audienceClaims, audienceRequired }: ClaimRules): void {
  const isAbsent = (claim: unknown): boolean =>
    claim === undefined || claim === null || (Array.isArray(claim) && claim.length === 0)
  const name = audienceClaims.find((each) => !isAbsent(claims[each]))
  if (name === undefined && !audienceRequired) return
  const named: readonly unknown[] = name === undefined ? [] : [claims[name]].flat()
  if (!named.every((each) => typeof each === 'string'))
    throw authErrors.claims(`The JWT '${name}' claim must be a string or an array of strings`)
  if (audiences !== null && !named.some((each) => audiences.includes(each)))
    throw authErrors.claims('JWT not in audience')
}
