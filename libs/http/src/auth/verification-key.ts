import { createHmac, createPublicKey, createSecretKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto'

/** The algorithms that are accepted (RFC 7518 §3.1). A key is bound to exactly one of them. */
export type Algorithm = 'HS256' | 'RS256' | 'ES256'

/** A public or symmetric key as JWKS has it (RFC 7517). */
export type Jwk = { readonly kty?: string; readonly kid?: string; readonly [member: string]: unknown }

/** A key that can only verify, and only with its own algorithm, whatever a token's header says. */
export type VerificationKey = {
  readonly algorithm: Algorithm
  readonly kid?: string
  /** The same for equal keys and different for others; made of the key itself. */
  readonly fingerprint: string
  /** Milliseconds since the epoch, after which it verifies nothing; a retired key has such an end. */
  readonly expiresMs?: number
  readonly verifies: (signingInput: string, signature: Buffer) => boolean
}

/** Shortest HMAC secret: as long as the hash (RFC 7518 §3.2). */
export const secretBytesMin = 32
const rsaBitsMin = 2048

/**
 * The key of a plain HS256 secret. Throws when the secret is short, has white space at an end (it was pasted wrong), or
 * is in truth a public key: everyone knows those, so tokens signed with one as a secret prove nothing.
 */
export function hmacKey(secret: string, kid?: string): VerificationKey {
  if (secret.trim() !== secret) throw new Error('The JWT secret begins or ends with white space.')
  if (secret.includes('-----BEGIN')) throw new Error('The JWT secret is a PEM key. Give public keys as a JWKS.')
  return secretKey(Buffer.from(secret), kid)
}

function secretKey(bytes: Buffer, kid?: string): VerificationKey {
  if (bytes.length < secretBytesMin)
    throw new Error(`The JWT secret has ${bytes.length} bytes; HS256 needs at least ${secretBytesMin}.`)
  const key = createSecretKey(bytes)
  return {
    algorithm: 'HS256',
    kid,
    fingerprint: fingerprintOf('HS256', kid, key),
    verifies: (signingInput, signature) => {
      const expected = createHmac('sha256', key).update(signingInput).digest()
      return expected.length === signature.length && timingSafeEqual(expected, signature)
    },
  }
}

/**
 * Imports a key of a JWKS. Throws with the reason when it is not a signature key of an accepted algorithm: its type
 * decides the algorithm, and an `alg`, `use` or `key_ops` that says otherwise makes it unusable. `exp`, seconds since
 * the epoch, is its end (OpenID Federation 1.0 §8.7).
 */
export function importJwk(jwk: Jwk): VerificationKey {
  const algorithm = algorithmOf(jwk)
  const operations = Array.isArray(jwk.key_ops) ? jwk.key_ops : ['verify']
  if (jwk.alg !== undefined && jwk.alg !== algorithm) throw unusable(jwk, `alg ${String(jwk.alg)} is not ${algorithm}`)
  if (jwk.use !== undefined && jwk.use !== 'sig') throw unusable(jwk, `use ${String(jwk.use)} is not sig`)
  if (!operations.some((operation) => operation === 'verify' || operation === 'sign'))
    throw unusable(jwk, 'its key_ops do not have verify')
  const key =
    algorithm === 'HS256' ? secretKey(Buffer.from(String(jwk.k), 'base64url'), jwk.kid) : publicKey(jwk, algorithm)
  return jwk.exp === undefined ? key : { ...key, expiresMs: expiryOf(jwk) }
}

/** What `JSON.parse` says of a mistake quotes the text, which here holds secrets; `name` says whose mistake it is. */
export function parseSecretJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${name} cannot be read: not JSON.`)
  }
}

/** The keys of a JWKS document as they stand there; throws when it is none. */
export function parseJwks(text: string): Jwk[] {
  const { keys } = (parseSecretJson('The JWKS', text) ?? {}) as { keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('The JWKS has no keys; it must look like {"keys":[…]}.')
  return keys as Jwk[]
}

/** What of a key everyone may know; undefined for a secret. */
export function toPublicJwk({ kty, kid, alg, crv, x, y, n, e, exp }: Jwk): Jwk | undefined {
  const common = { kid, use: 'sig', key_ops: ['verify'], exp }
  if (kty === 'EC') return { kty, alg: alg ?? 'ES256', crv, x, y, ...common }
  return kty === 'RSA' ? { kty, alg: alg ?? 'RS256', n, e, ...common } : undefined
}

function publicKey(jwk: Jwk, algorithm: 'RS256' | 'ES256'): VerificationKey {
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const bits = key.asymmetricKeyDetails?.modulusLength ?? rsaBitsMin
  if (bits < rsaBitsMin) throw unusable(jwk, `${bits} bits are fewer than ${rsaBitsMin}`)
  const input = { key, dsaEncoding: 'ieee-p1363' as const }
  return {
    algorithm,
    kid: jwk.kid,
    fingerprint: fingerprintOf(algorithm, jwk.kid, key),
    verifies: (signingInput, signature) => verify('sha256', Buffer.from(signingInput), input, signature),
  }
}

function expiryOf(jwk: Jwk): number {
  if (typeof jwk.exp !== 'number' || !Number.isFinite(jwk.exp)) throw unusable(jwk, 'its exp is not a number')
  return jwk.exp * 1000
}

function algorithmOf(jwk: Jwk): Algorithm {
  if (jwk.kid !== undefined && typeof jwk.kid !== 'string') throw unusable(jwk, 'its kid is not a string')
  if (jwk.kty === 'oct') return 'HS256'
  if (jwk.kty === 'RSA') return 'RS256'
  if (jwk.kty === 'EC' && jwk.crv === 'P-256') return 'ES256'
  throw unusable(jwk, `type ${String(jwk.kty)} ${String(jwk.crv ?? '')} is not oct, RSA or EC P-256`)
}

function unusable(jwk: Jwk, reason: string): Error {
  return new Error(`The key ${JSON.stringify(jwk.kid ?? 'without kid')} of the JWKS cannot be used: ${reason}.`)
}

function fingerprintOf(algorithm: Algorithm, kid: string | undefined, key: KeyObject): string {
  const material =
    key.type === 'secret'
      ? createHmac('sha256', 'pando').update(key.export()).digest('hex')
      : key.export({ type: 'spki', format: 'der' }).toString('hex')
  return `${algorithm} ${kid ?? ''} ${material}`
}
