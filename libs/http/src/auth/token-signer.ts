import { hmacSigningKey, importSigningKey, parseSigningKeys, type SigningKey, signJwt } from './sign-jwt.ts'
import { type Jwk, parseSecretJson } from './verification-key.ts'

/** Signs the installation's own tokens, and tells with which keys they are verified. */
export type TokenSigner = {
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>
  /** The public halves of all keys that verify (RFC 7517); secrets are left out. */
  readonly publicKeys: readonly Jwk[]
}

/** What an installation has: signing keys, of which the first signs, or a secret. */
export type SignerKeys = { readonly secret?: string; readonly signingKeys?: string; readonly jwks?: string }

/** Throws when there is nothing to sign with. */
export function createTokenSigner({ secret, signingKeys, jwks }: SignerKeys): TokenSigner {
  const pairs = signingKeys === undefined ? [] : parseSigningKeys(signingKeys)
  let key: Promise<SigningKey> | undefined
  if (pairs.length === 0 && secret === undefined)
    throw new Error('No key to sign tokens with. Set PANDO_JWT_SIGNING_KEYS or PANDO_JWT_SECRET.')
  const further = jwks === undefined ? [] : (parseSecretJson('The JWKS', jwks) as { keys: Jwk[] }).keys
  return {
    sign: async (claims) => {
      key ??= pairs.length === 0 ? Promise.resolve(hmacSigningKey(secret!)) : importSigningKey(pairs[0]!)
      return signJwt(claims, await key)
    },
    publicKeys: [...pairs, ...further].map(toPublic).filter((jwk) => jwk !== undefined),
  }
}

function toPublic({ kty, kid, alg, crv, x, y, n, e }: Jwk): Jwk | undefined {
  const common = { kid, use: 'sig', key_ops: ['verify'] }
  if (kty === 'EC') return { kty, alg: alg ?? 'ES256', crv, x, y, ...common }
  return kty === 'RSA' ? { kty, alg: alg ?? 'RS256', n, e, ...common } : undefined
}
