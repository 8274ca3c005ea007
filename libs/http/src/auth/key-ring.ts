import { hash, timingSafeEqual } from 'node:crypto'
import type { ProjectKeys } from './api-keys.ts'
import { hmacSigningKey, importSigningKey, parseSigningKeys, type SigningKey } from './sign-jwt.ts'
import { hmacKey, importJwk, type Jwk, parseJwks, toPublicJwk, type VerificationKey } from './verification-key.ts'

/** An opaque key that stands for a role: `sb_publishable_…` for `anon`, `sb_secret_…` for `service_role`. */
export type ApiKey = { readonly key: string; readonly role: string }

export type Keys = {
  readonly verification: readonly VerificationKey[]
  readonly api: readonly ApiKey[]
  /** What the installation's own tokens are signed with; absent where it only verifies. */
  readonly signing?: SigningKey
  /** The keys that everyone may know (RFC 7517 §5), without any private or secret one. */
  readonly published: readonly Jwk[]
}

/** The keys of this installation. They can be replaced while requests run. */
export type KeyRing = {
  /** Grows whenever a key went away: what was verified before may no longer hold. */
  generation(): number
  /** The keys that a token with this algorithm and `kid` may have been signed with. */
  candidates(algorithm: string, kid: string | undefined): readonly VerificationKey[]
  /** The role of an opaque key. All keys are compared, each in constant time. */
  roleOf(apiKey: string): string | undefined
  /** What the installation's own tokens are signed with now. */
  signing(): SigningKey | undefined
  /** The keys of its JWKS now. */
  published(): readonly Jwk[]
  /** From now on exactly these keys are good. */
  replace(keys: Keys): void
}

/** Most keys of one ring: each is tried for a token without `kid`. */
export const ringKeysMax = 32

export function createKeyRing(initial: Keys): KeyRing {
  let verification: readonly VerificationKey[] = []
  let apiKeys: readonly { readonly digest: Buffer; readonly role: string }[] = []
  let generation = 0
  let current = initial

  function replace(keys: Keys): void {
    if (keys.verification.length > ringKeysMax)
      throw new Error(`There are ${keys.verification.length} keys; a JWKS has at most ${ringKeysMax}.`)
    const kept = new Set(keys.verification.map((key) => key.fingerprint))
    if (verification.some((key) => !kept.has(key.fingerprint))) generation += 1
    current = keys
    verification = keys.verification
    apiKeys = keys.api.map(({ key, role }) => ({ digest: hash('sha256', key, 'buffer'), role }))
  }

  replace(initial)
  return {
    generation: () => generation,
    candidates: (algorithm, kid) => matchingKeys(verification, algorithm, kid),
    roleOf(apiKey) {
      const digest = hash('sha256', apiKey, 'buffer')
      let role: string | undefined
      for (const known of apiKeys) if (timingSafeEqual(known.digest, digest)) role = known.role
      return role
    },
    signing: () => current.signing,
    published: () => current.published,
    replace,
  }
}

/** Further keys, as text: a JWKS, and an array of private keys: the first signs, the public halves of all verify. */
export type KeyDocuments = { readonly jwks?: string; readonly signingKeys?: string }

/** The keys of a project and, beside them, those of documents. Throws when one of them must not be used. */
export function toKeys(project: Partial<ProjectKeys>, { jwks, signingKeys }: KeyDocuments = {}): Keys {
  const { jwtSecret, publishableKey, secretKey } = project
  const pairs = signingKeys === undefined ? [] : parseSigningKeys(signingKeys)
  const secrets = jwtSecret === undefined ? [] : [hmacKey(jwtSecret)]
  const signing = pairs[0] === undefined ? jwtSecret && hmacSigningKey(jwtSecret) : importSigningKey(pairs[0])
  const further = jwks === undefined ? [] : parseJwks(jwks)
  return {
    verification: [...secrets, ...[...pairs, ...further].map(importJwk)],
    signing: signing || undefined,
    published: [...pairs, ...further].map(toPublicJwk).filter((jwk) => jwk !== undefined),
    api: [
      ...(publishableKey === undefined ? [] : [{ key: publishableKey, role: 'anon' }]),
      ...(secretKey === undefined ? [] : [{ key: secretKey, role: 'service_role' }]),
    ],
  }
}

/**
 * Keys of that algorithm whose `kid` does not contradict: a key or token without `kid` matches any, because secrets
 * from before there were key ids are still in use.
 */
export function matchingKeys(
  keys: readonly VerificationKey[],
  algorithm: string,
  kid: string | undefined,
): readonly VerificationKey[] {
  return keys.filter(
    (key) => key.algorithm === algorithm && (kid === undefined || key.kid === undefined || key.kid === kid),
  )
}
