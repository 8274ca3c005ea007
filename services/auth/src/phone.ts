import { errors } from './errors.ts'

/** A number as it is stored: E.164 digits without the plus. @throws when it is no number */
export function canonicalPhone(text: string): string {
  const digits = text.replace(/^\+/, '').replaceAll(' ', '')
  if (!/^[1-9]\d{1,14}$/.test(digits)) throw errors.invalid('Invalid phone number format (E.164 required)')
  return digits
}
