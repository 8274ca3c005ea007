import { type CryptoKey, importJWK, type JWK, type JWTPayload, type KeyObject, SignJWT } from 'jose'
import { type Algorithm, secretBytesMin } from './verification-key.ts'

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

/** The signing key of a private JWK, as `signing_keys.json` of an existing project has it. */
export async function importSigningKey(jwk: JWK & { readonly alg: Algorithm }): Promise<SigningKey> {
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
