import { type CryptoKey, importJWK, type JWK, type JWTPayload, type KeyObject, SignJWT } from 'jose'
import { type Algorithm, importJwk, type Jwk, parseSecretJson, secretBytesMin } from './verification-key.ts'

/** What a token is signed with. */
export type SigningKey = {
  readonly algorithm: Algorithm
  readonly kid?: string
  readonly key: CryptoKey | KeyObject | Uint8Array
}

/** The signing key of a plain HS256 secret; throws when it is shorter than 32 bytes. */
export function hmacSigningKey(secret: string, kid?: string): SigningKey {
  const key = new TextEncoder().encode(secret)
  if (key.length < secretBytesMin)
    throw new Error(`The JWT secret has ${key.length} bytes; HS256 needs at least ${secretBytesMin}.`)
  return { algorithm: 'HS256', kid, key }
}

/** A private JWK that can sign (RFC 7517), as a `signing_keys.json` has it. */
export type SigningJwk = JWK & { readonly alg: Algorithm; readonly d: string }

/**
 * The keys of a `signing_keys.json`: an array of private RSA and EC P-256 keys. The first one signs, the halves that
 * everyone may know of all of them verify. Throws with the reason when one of them cannot be used.
 */
export function parseSigningKeys(text: string): SigningJwk[] {
  const keys = parseSecretJson('Signing keys', text)
  if (!Array.isArray(keys)) throw new Error('Signing keys must be a JSON array of private JWKs: [{"kty":"EC",…}].')
  return (keys as Jwk[]).map((jwk) => {
    const { algorithm: alg } = importJwk(jwk)
    const name = `The signing key ${JSON.stringify(jwk.kid ?? 'without kid')}`
    if (alg === 'HS256') throw new Error(`${name} is a secret; only RSA and EC P-256 keys sign.`)
    if (typeof jwk.d !== 'string') throw new Error(`${name} is public; its private member d is missing.`)
    return { ...jwk, alg, d: jwk.d }
  })
}

/**
 * The signing key of a private JWK. What it says about its use is left out: files of other tools list `verify` too, which
 * no private key does.
 */
export async function importSigningKey({ key_ops: _operations, ...jwk }: SigningJwk): Promise<SigningKey> {
  return { algorithm: jwk.alg, kid: jwk.kid, key: await importJWK(jwk) }
}

/** Signs a token. Header and claims are written in the order given, so equal input gives equal HS256 tokens. */
export function signJwt(
  claims: JWTPayload & { readonly role?: string },
  { algorithm, kid, key }: SigningKey,
): Promise<string> {
  const header = kid === undefined ? { alg: algorithm, typ: 'JWT' } : { alg: algorithm, kid, typ: 'JWT' }
  return new SignJWT(claims).setProtectedHeader(header).sign(key)
}
