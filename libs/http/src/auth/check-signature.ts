import { authErrors } from './errors.ts'
import type { ParsedToken } from './parse-token.ts'
import type { VerificationKey } from './verification-key.ts'

/**
 * The key that signed the token. The header names an algorithm, but each key uses its own: `none` and confused
 * algorithms find no key at all.
 */
export function mustBeSigned(
  { algorithm, signingInput, signature }: ParsedToken,
  found: readonly VerificationKey[],
  nowMs: number,
): VerificationKey {
  if (algorithm !== 'HS256' && algorithm !== 'RS256' && algorithm !== 'ES256') throw authErrors.unsupportedAlgorithm()
  const keys = found.filter(({ expiresMs }) => expiresMs === undefined || nowMs <= expiresMs)
  if (keys.length === 0) throw authErrors.noKey()
  const key = keys.find(({ verifies }) => verifies(signingInput, signature))
  if (key === undefined) throw authErrors.badSignature()
  return key
}
