import type { KeyObject } from 'node:crypto'

/** Keys of tokens that are signed and then encrypted (RFC 7519 §5.2). */
export type NestedTokenKeys = {
  /** AES, 256 bits, wraps the key of each token (A256KW, RFC 7518 §4.4). */
  readonly decryption: KeyObject
  /** The public key of their signer, P-256 (ES256, RFC 7518 §3.4). */
  readonly verification: KeyObject
}

/**
 * Decrypts a token and verifies what was inside, with these algorithms and no others; gives the text that was signed. The library
 * is loaded by who needs it first.
 *
 * @throws an error of `jose` that says what is wrong
 */
export async function openNestedToken(token: string, keys: NestedTokenKeys): Promise<string> {
  const { compactDecrypt, compactVerify } = await import('jose')
  const { plaintext } = await compactDecrypt(token, keys.decryption, {
    keyManagementAlgorithms: ['A256KW'],
    contentEncryptionAlgorithms: ['A256GCM'],
  })
  const { payload } = await compactVerify(plaintext, keys.verification, { algorithms: ['ES256'] })
  return Buffer.from(payload).toString()
}
