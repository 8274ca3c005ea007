import { createCipheriv, scryptSync, timingSafeEqual } from 'node:crypto'

const form =
  /^\$fbscrypt\$v=1,n=(?<n>\d+),r=(?<r>\d+),p=(?<p>\d+)(?:,ss=(?<ss>[^,$]*))?,sk=(?<sk>[^,$]+)\$(?<salt>[^$]+)\$(?<hash>[^$]+)$/

const memoryBytesMax = 256 * 1024 ** 2

/**
 * Whether a password belongs to a hash that came from Firebase. Its scrypt makes a key of the password, which encrypts
 * the project's signer key (AES-256-CTR from zero); that is the hash. `n` is the exponent of the cost.
 */
export function verifyFirebaseScrypt(password: string, hash: string): boolean {
  const parts = form.exec(hash)?.groups
  if (parts === undefined) return false
  const salt = Buffer.concat([Buffer.from(parts['salt']!, 'base64'), Buffer.from(parts['ss'] ?? '', 'base64')])
  const cost = { N: 2 ** Number(parts['n']), r: Number(parts['r']), p: Number(parts['p']), maxmem: memoryBytesMax }
  const cipher = createCipheriv('aes-256-ctr', scryptSync(password, salt, 32, cost), Buffer.alloc(16))
  const made = Buffer.concat([cipher.update(Buffer.from(parts['sk']!, 'base64')), cipher.final()])
  const known = Buffer.from(parts['hash']!, 'base64')
  return made.length === known.length && timingSafeEqual(made, known)
}
