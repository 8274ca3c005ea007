import type { AuthenticatorDeps } from './authenticator.ts'
import type { JwtValues } from './config.ts'
import { matchingKeys } from './key-ring.ts'
import { hmacKey, importJwk, type Jwk, parseSecretJson, type VerificationKey } from './verification-key.ts'

/** What a database says of the tokens that its data API takes; in all else it is as everywhere in the installation. */
export type TokenRules = {
  readonly values: Partial<Pick<JwtValues, 'anonRole' | 'audience' | 'cachedTokensMax' | 'roleClaimKey'>>
  /** Believed beside the installation's own. */
  readonly keys: readonly VerificationKey[]
}

/** What an authenticator needs that follows such rules as well. */
export function withTokenRules(deps: AuthenticatorDeps, { values, keys: further }: TokenRules): AuthenticatorDeps {
  const { keys } = deps
  const candidates: typeof keys.candidates = (algorithm, kid) => [
    ...keys.candidates(algorithm, kid),
    ...matchingKeys(further, algorithm, kid),
  ]
  return { ...deps, keys: { ...keys, candidates }, values: { ...deps.values, ...values } }
}

/**
 * The keys in a `jwt-secret` of PostgREST: a JWKS, a single JWK, or the text itself, perhaps in base64. Throws when one of
 * them must not be used.
 */
export function parseJwtSecret(text: string, isBase64: boolean): readonly VerificationKey[] {
  const document = toDocument(text)
  if (document !== undefined)
    return (Array.isArray(document.keys) ? (document.keys as Jwk[]) : [document]).map(importJwk)
  return [isBase64 ? importJwk({ kty: 'oct', k: text.replaceAll('+', '-').replaceAll('/', '_') }) : hmacKey(text)]
}

function toDocument(text: string): Jwk | undefined {
  return text.trimStart().startsWith('{') ? (parseSecretJson('The JWT secret', text) as Jwk) : undefined
}
