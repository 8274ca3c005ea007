import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** Closes what lies where others may read and write it: only processes with the same secret can read or make it. */
export type Seal = {
  /** A name that says nothing of what it is made of. */
  nameOf(key: string): string
  /** For this name alone. */
  seal(content: Buffer, name: string): Buffer
  /** Throws when it was not sealed for this name with this secret. */
  open(sealed: Buffer, name: string): Buffer
}

const algorithm = 'aes-256-gcm'
const ivBytes = 12
const tagBytes = 16

export function createSeal(secret: string): Seal {
  const derive = (what: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', `pando cache ${what}`, 32))
  const forContent = derive('content')
  const forNames = derive('names')
  return {
    nameOf: (key) => createHmac('sha256', forNames).update(key).digest('base64url'),
    seal: (content, name) => {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv(algorithm, forContent, iv).setAAD(Buffer.from(name))
      const body = cipher.update(content)
      cipher.final()
      return Buffer.concat([iv, cipher.getAuthTag(), body])
    },
    open: (sealed, name) => {
      const headBytes = ivBytes + tagBytes
      if (sealed.length < headBytes) throw new RangeError('a sealed answer is too short')
      const opening = createDecipheriv(algorithm, forContent, sealed.subarray(0, ivBytes), { authTagLength: tagBytes })
      opening.setAAD(Buffer.from(name)).setAuthTag(sealed.subarray(ivBytes, headBytes))
      const content = opening.update(sealed.subarray(headBytes))
      opening.final()
      return content
    },
  }
}
