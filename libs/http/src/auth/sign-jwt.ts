import { createHmac, createPrivateKey, createSecretKey, generateKeyPairSync, hash, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { type Algorithm, importJwk, type Jwk, parseSecretJson, secretBytesMin } from './verification-key.ts'

/** What a token is signed with. */
export type SigningKey = {
  /** The token's header, as it stands in the token. */
  readonly header: string
  /** The signature over these bytes (RFC 7518 §3.1). */
  readonly sign: (input: Buffer) => Buffer | Promise<Buffer>
}

/** The signing key of a plain HS256 secret; throws when it is shorter than 32 bytes. */
export function hmacSigningKey(secret: string, kid?: string): SigningKey {
  const bytes = Buffer.from(secret)
  if (bytes.length < secretBytesMin)
    throw new Error(`The JWT secret has ${bytes.length} bytes; HS256 needs at least ${secretBytesMin}.`)
  const key = createSecretKey(bytes)
  return { header: toHeader('HS256', kid), sign: (input) => createHmac('sha256', key).update(input).digest() }
}

/** A private JWK that can sign (RFC 7517), as a `signing_keys.json` has it. */
export type SigningJwk = Jwk & { readonly alg: Algorithm; readonly d: string }

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
    if (typeof jwk['d'] !== 'string') throw new Error(`${name} is public; its private member d is missing.`)
    return { ...jwk, alg, d: jwk['d'] }
  })
}

/** A new ES256 key, named by its thumbprint (RFC 7638). */
export function generateSigningJwk(): SigningJwk {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y, d } = privateKey.export({ format: 'jwk' }) as Jwk & { d: string }
  const kid = hash('sha256', JSON.stringify({ crv, kty, x, y }), 'base64url')
  return { kid, kty, alg: 'ES256', use: 'sig', key_ops: ['sign', 'verify'], crv, x, y, d }
}

const signInPool = promisify(sign)

/**
 * The signing key of a private JWK. An EC signature takes about 30 µs: signed here it costs a third of what a way
 * through Node's thread pool costs. An RSA signature takes 20 times as long and goes there.
 */
export function importSigningKey(jwk: SigningJwk): SigningKey {
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const header = toHeader(jwk.alg, jwk.kid)
  if (jwk.alg === 'RS256') return { header, sign: (input) => signInPool('sha256', input, key) }
  const options = { key, dsaEncoding: 'ieee-p1363' as const }
  return { header, sign: (input) => sign('sha256', input, options) }
}

/** Signs a token (RFC 7515 §7.1). Claims are written in the order given, so equal input gives equal HS256 tokens. */
export async function signJwt(claims: Readonly<Record<string, unknown>>, key: SigningKey): Promise<string> {
  const input = `${key.header}.${encode(claims)}`
  const signature = await key.sign(Buffer.from(input))
  return `${input}.${signature.toString('base64url')}`
}

const toHeader = (alg: Algorithm, kid: string | undefined): string =>
  encode(kid === undefined ? { alg, typ: 'JWT' } : { alg, kid, typ: 'JWT' })

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
