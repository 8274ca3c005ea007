import { Refusal } from '@pando/core/refusal'
import { checkClaims } from '@pando/http/auth/check-claims'
import { mustBeSigned } from '@pando/http/auth/check-signature'
import { parseToken } from '@pando/http/auth/parse-token'
import { hash } from 'node:crypto'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { profileOfClaims } from './open-id.ts'
import type { Json, Profile } from './profile.ts'
import type { Provider } from './provider.ts'
import { toProviderProof } from './provider-proof.ts'

export type IdToken = { readonly claims: Json; readonly profile: Profile }

const tokenBytesMax = 16 * 1024
const leewayMs = 30_000

/**
 * Verifies an ID token (OpenID Connect Core §3.1.3.7): signed by the provider, by exactly its issuer, for one of
 * `audiences`, not expired, and about somebody. The nonce is the caller's to check: it alone knows what to expect.
 *
 * @throws when it is not so
 */
export async function verifyIdToken(
  { clock }: AuthDeps,
  provider: Provider,
  { token, audiences, accessToken }: { token: string; audiences: readonly string[]; accessToken?: string },
): Promise<IdToken> {
  const rules = provider.definition.idToken
  const { issuer } = provider
  if (rules === undefined || issuer === undefined) throw errors.badIdToken()
  const parsed = asBadIdToken(() => parseToken(token, tokenBytesMax))
  const { claims } = parsed
  // Before keys are fetched: a token of anybody else causes no traffic.
  if (claims.iss !== issuer.name && !rules.accepts?.(claims, issuer.name)) throw errors.badIdToken()
  const keys = await issuer.keys.candidates(parsed.algorithm, parsed.kid)
  return asBadIdToken(() => {
    const nowMs = clock.now()
    mustBeSigned(parsed, keys, nowMs)
    if (typeof claims.exp !== 'number' || typeof claims.sub !== 'string' || claims.sub === '') throw errors.badIdToken()
    checkClaims(claims, { nowMs, leewayMs, audiences: null, audienceClaims: ['aud'], audienceRequired: true })
    mustBeFor(claims, audiences)
    if (accessToken !== undefined) mustHashTo(claims['at_hash'], accessToken)
    const profile = profileOfClaims(claims, rules, issuer.name)
    return { claims, profile: { ...profile, proof: toProviderProof(claims) } }
  })
}

/** Of several audiences one must have asked for the token, and that must be us (§2, `azp`). */
function mustBeFor(claims: Json, audiences: readonly string[]): void {
  const named = [claims['aud']].flat() as readonly string[]
  if (!named.some((each) => audiences.includes(each))) throw errors.badAudience(named)
  if (named.length > 1 && !audiences.includes(String(claims['azp']))) throw errors.badAudience(named)
}

/** The access token is the one that came with the ID token (§3.1.3.6; RS256 and ES256 both use SHA-256). */
function mustHashTo(atHash: unknown, accessToken: string): void {
  if (atHash === undefined || atHash === '') return
  const left = Buffer.from(hash('sha256', accessToken, 'buffer')).subarray(0, 16)
  if (left.toString('base64url') !== atHash) throw errors.badIdToken()
}

function asBadIdToken<Result>(run: () => Result): Result {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof Refusal && cause.facts['oauth'] !== undefined) throw cause
    throw errors.badIdToken(cause)
  }
}
