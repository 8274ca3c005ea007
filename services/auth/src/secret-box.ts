import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'

/** Keeps secrets that have to be read again, so that a copy of the database tells none of them. */
export type SecretBox = {
  /** `owner` is what the text belongs to; nobody can move it to another row. */
  seal(text: string, owner: string): string
  /** Throws for what was changed, moved, or sealed with a key that is gone. */
  open(sealed: string, owner: string): string
}

const scheme = 'aes256gcm'
const ivBytes = 12
const tagBytes = 16

/**
 * AES-256-GCM (NIST SP 800-38D) with a random IV. The first key seals, any of them opens: a sealed text is
 * `aes256gcm.<key id>.<base64url of IV, ciphertext and tag>`.
 */
export function createSecretBox(keys: readonly Buffer[]): SecretBox {
  const byId = new Map(keys.map((key) => [toKeyId(key), key]))
  const [first] = byId.keys()
  if (first === undefined) throw new Error('A secret box needs a key.')
  return {
    seal: (text, owner) => {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', byId.get(first)!, iv).setAAD(Buffer.from(owner))
      const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${scheme}.${first}.${sealed.toString('base64url')}`
    },
    open: (sealed, owner) => {
      const [name, keyId, body] = sealed.split('.')
      const key = byId.get(keyId ?? '')
      if (name !== scheme || key === undefined || body === undefined)
        throw new Error(`No key of this installation opens this secret (key ${keyId}).`)
      const bytes = Buffer.from(body, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes))
        .setAAD(Buffer.from(owner))
        .setAuthTag(bytes.subarray(-tagBytes))
      return decipher.update(bytes.subarray(ivBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
    },
  }
}

const toKeyId = (key: Buffer): string => hash('sha256', Buffer.concat([Buffer.from('key id'), key]), 'hex').slice(0, 8)
