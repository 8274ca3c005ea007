import { createHash } from 'node:crypto'

type RandomBytes = (bytes: number) => Buffer

/** A code of decimal digits, each as likely as any other. */
export function newCode(randomBytes: RandomBytes, digits: number): string {
  let code = ''
  while (code.length < digits) {
    // 250 is the largest multiple of ten in a byte: what is above would make small digits likelier.
    for (const byte of randomBytes(digits)) if (byte < 250 && code.length < digits) code += String(byte % 10)
  }
  return code
}

/** A secret of 256 bits. Its text begins with a digit or letter, so that mail programs keep the whole link. */
export const newSecret = (randomBytes: RandomBytes): string => randomBytes(32).toString('hex')

/** How a long secret is stored: nobody can try 2^256 of them, so it needs no key. */
export const hashLongSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

/** Links that were asked for with a code challenge say so: their errors go where the SDKs look for them. */
export const pkcePrefix = 'pkce_'
