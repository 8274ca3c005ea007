import { hkdfSync } from 'node:crypto'
import { parseSigningKeys } from './sign-jwt.ts'

const keyBytes = 32

/** A key of 256 bits for one purpose; those of two purposes tell nothing of each other or the secret (RFC 5869). */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `pando ${purpose}`, keyBytes))
}

export type InstallationSecrets = {
  /** For data at rest alone; goes first. */
  readonly own?: string
  readonly jwtSecret?: string
  readonly signingKeys?: string
}

/**
 * What only the installation knows, and its database does not: the first one protects what is written from now on, any
 * of them opens what was written before. Empty where only the public keys of others are known.
 */
export function listInstallationSecrets({ own, jwtSecret, signingKeys }: InstallationSecrets): readonly string[] {
  const privateHalves = signingKeys === undefined ? [] : parseSigningKeys(signingKeys).map((jwk) => jwk.d)
  return [own, jwtSecret, ...privateHalves].filter((secret) => typeof secret === 'string')
}
