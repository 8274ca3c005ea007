import { domainToASCII } from 'node:url'
import { errors } from './errors.ts'

const lengthMax = 254
/** RFC 5321 §4.1.2, dot-string, and the letters of RFC 6531. */
const localPart = /^[^\s@"(),:;<>[\]\\\p{Cc}\p{Cf}]+$/u

/**
 * The one form in which an address is stored and looked for: Unicode normal form C, lower case, the domain in ASCII.
 *
 * @throws when it is no address
 */
export function canonicalEmail(text: string): string {
  const given = text.trim().normalize('NFC')
  const at = given.lastIndexOf('@')
  const local = given.slice(0, Math.max(at, 0)).toLowerCase()
  const domain = domainToASCII(given.slice(at + 1))
  const email = `${local}@${domain}`
  const isDotString = localPart.test(local) && !/^\.|\.\.|\.$/.test(local)
  if (!isDotString || !/^[a-z0-9.-]+\.[a-z0-9-]+$/.test(domain) || local.length > 64 || email.length > lengthMax)
    throw errors.emailInvalid(text.slice(0, lengthMax))
  return email
}
