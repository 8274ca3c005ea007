import type { Clock } from '@pando/core/clock'
import { importSigningKey, type SigningKey, signJwt } from '@pando/http/auth/sign-jwt'
import { createPrivateKey } from 'node:crypto'

export type AppleKey = { readonly teamId: string; readonly keyId: string; readonly pem: string }

/** Whether the secret is the private key that Apple gave, not a token that somebody signed with it. */
export const isPem = (secret: string): boolean => secret.includes('-----BEGIN PRIVATE KEY-----')

const lifetimeSeconds = 300

/** Apple wants no secret but a token that we sign for each exchange. Throws when the key cannot be used. */
export function createAppleSecret(
  { teamId, keyId, pem }: AppleKey,
  clock: Clock,
): (clientId: string) => Promise<string> {
  const key = toSigningKey(keyId, pem)
  return (clientId) => {
    const iat = Math.floor(clock.now() / 1000)
    const exp = iat + lifetimeSeconds
    return signJwt({ iss: teamId, iat, exp, aud: 'https://appleid.apple.com', sub: clientId }, key)
  }
}

/** In a variable the lines of a PEM file are often written with `\n`. */
function toSigningKey(kid: string, pem: string): SigningKey {
  const { d, ...jwk } = createPrivateKey(pem.replaceAll(String.raw`\n`, '\n')).export({ format: 'jwk' })
  if (jwk.crv !== 'P-256' || d === undefined) throw new Error('the private key of apple is not of the curve P-256')
  return importSigningKey({ ...jwk, d, kid, alg: 'ES256' })
}
