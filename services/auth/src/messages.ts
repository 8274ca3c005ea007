import type { UserRow } from './store/users.ts'

/** Why somebody gets a mail; also the name of its template. */
export type MailKind = 'confirmation' | 'invite' | 'recovery' | 'magic_link' | 'email_change' | 'reauthentication'

/** A mail that proves an address. `code` is for typing, `tokenHash` for a link; both are good once. */
export type Mail = {
  readonly kind: MailKind
  readonly to: string
  readonly user: UserRow
  readonly code: string
  readonly tokenHash: string
  /** The link that confirms; absent where there is only a code. */
  readonly actionUrl?: string
  readonly redirectTo: string
  /** Of a change of address: the new one. */
  readonly newEmail?: string
  /** At the mail to the new address, where both confirm: what the mail to the old one holds. */
  readonly ofOldAddress?: { readonly code: string; readonly tokenHash: string }
  /** The request's header `Accept-Language`, for people whose `user_metadata.locale` says nothing. */
  readonly acceptLanguage?: string
}

/**
 * Hands a mail over for delivery, after the transaction has committed. It rejects with a refusal when this installation
 * sends no mails or too many wait. Who may learn that the address is known (an invite, a reauthentication) also waits
 * for the mail server's word; for all others it takes the same time whatever the server does.
 */
export type SendMail = (mail: Mail) => Promise<void>

/** A change of an account that its owner is told of. */
export type NoticeKind =
  | 'password_changed'
  | 'email_changed'
  | 'phone_changed'
  | 'identity_linked'
  | 'identity_unlinked'
  | 'mfa_factor_enrolled'
  | 'mfa_factor_unenrolled'

export type Notice = {
  readonly kind: NoticeKind
  /** After a change of address: the old one, whose owner should hear of it. */
  readonly to: string
  readonly user: UserRow
  readonly oldEmail?: string
  readonly oldPhone?: string
  /** Of an identity, for example `google`. */
  readonly provider?: string
  /** Of a second factor, for example `totp`. */
  readonly factorType?: string
  readonly acceptLanguage?: string
}

/** Tells after the fact, so it never fails: a notice that cannot be sent is logged. */
export type SendNotice = (notice: Notice) => void

export type TextMessage = {
  /** E.164 digits without the plus. */
  readonly phone: string
  readonly code: string
  readonly channel: 'sms' | 'whatsapp'
  /** A second factor has a text of its own. */
  readonly purpose?: 'factor'
  readonly user: UserRow
  readonly acceptLanguage?: string
}

/** The provider's name for the message, where it gives one: the wire's `message_id`. */
export type TextReceipt = { readonly id?: string }

/** Waits until the provider has taken the message; rejects with a refusal when that is not possible. */
export type SendText = (message: TextMessage) => Promise<TextReceipt>

/** Whether the code is the one that was sent, said by a provider who makes the codes itself (Twilio Verify). */
export type VerifyText = (phone: string, code: string) => Promise<boolean>
