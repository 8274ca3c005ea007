import { type NestedTokenKeys, openNestedToken } from '@pando/http/auth/open-nested-token'
import { createPublicKey, createSecretKey } from 'node:crypto'
import { errors } from '../errors.ts'
import { parseObject } from '../parse-object.ts'
import type { Decode } from './google-decoder.ts'
import type { Verdict } from './verdict.ts'

/** The two keys that the Play Console gives, base64. @throws when one cannot be used */
export function parsePlayKeys(decryption: string, verification: string): NestedTokenKeys {
  const bytes = Buffer.from(decryption, 'base64')
  if (bytes.length !== 32) throw new Error('decryption_key does not have 256 bits')
  const key = createPublicKey({ key: Buffer.from(verification, 'base64'), format: 'der', type: 'spki' })
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('verification_key is not of P-256')
  return { decryption: createSecretKey(bytes), verification: key }
}

/**
 * Decodes tokens here. What these keys do not open goes to `otherwise`: Google decodes tokens of standard requests
 * itself.
 */
export function createLocalDecoder(keys: NestedTokenKeys, otherwise: Decode | undefined): Decode {
  return async (token, packageName) => {
    let text: string
    try {
      text = await openNestedToken(token, keys)
    } catch (cause) {
      if (otherwise !== undefined) return otherwise(token, packageName)
      throw errors.attestationFailed('the token cannot be decrypted and verified', cause)
    }
    return parseObject(text) as Verdict
  }
}
