import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'

/** Closes frames so that only processes with the same secret can read or make them. */
export type Seal = {
  seal(frame: Buffer): Buffer
  /** Throws when it was not sealed by this sender with this secret. */
  open(sealed: Buffer, sender: string): Buffer
  forget(sender: string): void
}

const algorithm = 'aes-256-gcm'
const tagBytes = 16
const countBytes = 6
const ivBytes = 12

/** AES-256-GCM; each process has a key of its own, derived from the secret and its name, so that counting makes the nonce. */
export function createSeal(secret: string, nodeId: string): Seal {
  const own = deriveKey(secret, nodeId)
  const keys = new Map<string, Buffer>()
  let count = 0
  return {
    seal: (frame) => {
      const iv = toIv(++count)
      const cipher = createCipheriv(algorithm, own, iv)
      const body = cipher.update(frame)
      cipher.final()
      return Buffer.concat([iv.subarray(ivBytes - countBytes), cipher.getAuthTag(), body])
    },
    open: (sealed, sender) => {
      if (sealed.length < countBytes + tagBytes) throw new RangeError('a sealed message is too short')
      const key = keys.get(sender) ?? deriveKey(secret, sender)
      const opening = createDecipheriv(algorithm, key, toIv(sealed.readUIntBE(0, countBytes)), {
        authTagLength: tagBytes,
      })
      opening.setAuthTag(sealed.subarray(countBytes, countBytes + tagBytes))
      const frame = opening.update(sealed.subarray(countBytes + tagBytes))
      opening.final()
      // Not before: the names of those who are none of us would fill the memory.
      keys.set(sender, key)
      return frame
    },
    forget: (sender) => void keys.delete(sender),
  }
}

const deriveKey = (secret: string, name: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, name, 'pando bus', 32))

function toIv(count: number): Buffer {
  const iv = Buffer.alloc(ivBytes)
  iv.writeUIntBE(count, ivBytes - countBytes, countBytes)
  return iv
}
