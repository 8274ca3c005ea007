import type { Clock } from '@pando/core/clock'
import type { KeyRing } from './key-ring.ts'
import { signJwt } from './sign-jwt.ts'
import type { Jwk } from './verification-key.ts'

/** Signs the installation's own tokens, and tells with which keys they are verified. Follows the ring it is made of. */
export type TokenSigner = {
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>
  /** The public halves of all keys that verify now (RFC 7517); secrets are left out. */
  publicKeys(): readonly Jwk[]
}

/** Throws when the ring has nothing to sign with. */
export function createTokenSigner(keys: KeyRing, clock: Clock): TokenSigner {
  if (keys.signing() === undefined)
    throw new Error('No key to sign tokens with. Set PANDO_JWT_SIGNING_KEYS or PANDO_JWT_SECRET.')
  return {
    sign: async (claims) => {
      const key = keys.signing()
      if (key === undefined) throw new Error('The key that signed tokens was taken away.')
      return signJwt(claims, key)
    },
    publicKeys: () => keys.published().filter(({ exp }) => typeof exp !== 'number' || clock.now() <= exp * 1000),
  }
}
