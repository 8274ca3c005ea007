import type { AuthOptions } from '../config.ts'
import { errors } from '../errors.ts'
import type { MailKind } from '../messages.ts'
import type { Method } from '../sessions/start-session.ts'
import type { SentColumn } from '../store/address-changes.ts'
import type { TokenKind } from '../store/one-time-tokens.ts'

/** What a code or link is for. One that was sent for one purpose serves no other. */
export type MailPurpose = 'signup' | 'invite' | 'magiclink' | 'recovery' | 'email_change' | 'reauthentication'
export type TextPurpose = 'sms' | 'phone_change' | 'reauthentication'
export type Purpose = MailPurpose | TextPurpose

/** Where a token of a purpose is kept, and where it is noted that it was sent. */
export const places: Readonly<Record<Purpose, { readonly kind: TokenKind; readonly sent: SentColumn }>> = {
  signup: { kind: 'confirmation_token', sent: 'confirmation_sent_at' },
  invite: { kind: 'confirmation_token', sent: 'confirmation_sent_at' },
  sms: { kind: 'confirmation_token', sent: 'confirmation_sent_at' },
  magiclink: { kind: 'recovery_token', sent: 'recovery_sent_at' },
  recovery: { kind: 'recovery_token', sent: 'recovery_sent_at' },
  email_change: { kind: 'email_change_token_new', sent: 'email_change_sent_at' },
  phone_change: { kind: 'phone_change_token', sent: 'phone_change_sent_at' },
  reauthentication: { kind: 'reauthentication_token', sent: 'reauthentication_sent_at' },
}

export const mailKinds: Readonly<Record<MailPurpose, MailKind>> = {
  signup: 'confirmation',
  invite: 'invite',
  magiclink: 'magic_link',
  recovery: 'recovery',
  email_change: 'email_change',
  reauthentication: 'reauthentication',
}

/** How a session is proved that an app gets for a code of PKCE. */
export const flowMethods = {
  signup: 'email/signup',
  invite: 'invite',
  magiclink: 'magiclink',
  recovery: 'recovery',
  email_change: 'email_change',
} as const satisfies Readonly<Record<string, Method>>

/** How a session is proved that begins with the code or link itself; who forgot the password may choose another. */
export const methodOf = (purpose: string): Method => (purpose === 'recovery' ? 'recovery' : 'otp')

/** What the wire's `type` of a verification lets in. */
const types: ReadonlyMap<string, readonly Purpose[]> = new Map([
  ['email', ['signup', 'magiclink']],
  ['signup', ['signup']],
  ['invite', ['invite']],
  ['magiclink', ['magiclink']],
  ['recovery', ['recovery']],
  ['email_change', ['email_change']],
  ['sms', ['sms']],
  ['phone_change', ['phone_change']],
])

export function toPurposes(type: string): readonly Purpose[] {
  const purposes = types.get(type)
  if (purposes === undefined) throw errors.invalid('Unsupported verification type')
  return purposes
}

export const isOfPhone = (type: string): boolean => type === 'sms' || type === 'phone_change'

/** Wrong codes after which only the link of a message is good (NIST SP 800-63B-4 §3.1.3.2). */
export const codeTriesMax = 5

export const toMailLimits = ({ emailOtpLength, emailOtpExpiry }: AuthOptions) => ({
  digits: emailOtpLength,
  expiryMs: emailOtpExpiry,
})
export const toTextLimits = ({ smsOtpLength, smsOtpExpiry }: AuthOptions) => ({
  digits: smsOtpLength,
  expiryMs: smsOtpExpiry,
})
