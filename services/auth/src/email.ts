import { domainToASCII } from 'node:url'
import { errors } from './errors.ts'

const lengthMax = 254
/** RFC 5321 §4.1.2, dot-string, and the letters of RFC 6531. */
const localPart = /^[^\s@"(),:;<>[\]\\\p{Cc}\p{Cf}]+$/u

/** RFC 1035 §2.3.1: labels of letters, digits and inner hyphens; the last one is no number. */
const domainName = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * The one form in which an address is stored and looked for: Unicode normal form C, lower case, the domain in ASCII.
 *
 * @throws when it is no address
 */
export function canonicalEmail(text: string): string {
  const given = text.trim().normalize('NFC')
  const at = given.lastIndexOf('@')
  const local = given.slice(0, Math.max(at, 0)).toLowerCase().normalize('NFC')
  const domain = domainToASCII(given.slice(at + 1))
  const email = `${local}@${domain}`
  const isDotString = localPart.test(local) && !/^\.|\.\.|\.$/.test(local)
  if (!isDotString || !domainName.test(domain) || local.length > 64 || email.length > lengthMax)
    throw errors.emailInvalid()
  return email
}
