import { ConfigurationError } from '@pando/config/read-configuration'
import type * as nodemailer from 'nodemailer'
import { createRequire } from 'node:module'
import type { AuthOptions } from '../../config.ts'
import { canonicalEmail } from '../../email.ts'
import type { RenderedMail } from './render-mail.ts'

/** A mail with everything a mail server needs. */
export type OutgoingMail = RenderedMail & {
  readonly to: string
  /** The same at each attempt, so that a receiver who got it twice can tell. */
  readonly id: string
}

export type MailServer = {
  /** Resolves when the server has taken the mail; rejects with nodemailer's error. */
  readonly transmit: (mail: OutgoingMail, signal?: AbortSignal) => Promise<void>
  /** Rejects when the server cannot be reached or does not know us. */
  readonly verify: () => Promise<void>
  readonly close: () => void
}

const mailsPerConnection = 100

const load = createRequire(import.meta.url)

/** The mail server of the options, over a few connections that stay open; undefined when there is none. */
export function createMailServer(options: AuthOptions): MailServer | undefined {
  const { smtpHost: host, smtpPort: port, smtpUser: user, smtpPass, smtpTimeout: timeout } = options
  if (!options.smtpEnabled || !host) return undefined
  const sender = toSender(options)
  // Only where there is a mail server: a node that sends no mails should not hold it.
  const { createTransport } = load('nodemailer') as typeof nodemailer
  const transport = createTransport({
    pool: true,
    host,
    port,
    secure: port === 465,
    requireTLS: options.smtpTlsRequired && !isLoopback(host),
    auth: user ? { user, pass: smtpPass?.reveal() ?? '' } : undefined,
    maxConnections: options.smtpConnectionsMax,
    maxMessages: mailsPerConnection,
    dnsTimeout: timeout,
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async transmit({ id, to, subject, html, text }, signal) {
      await transport.sendMail({
        from: sender,
        to: { name: '', address: mustBeAddress(to) },
        subject,
        html,
        text,
        messageId: `<${id}@${sender.address.split('@')[1]}>`,
        // RFC 3834 §5: nobody's holiday notice should answer.
        headers: { 'Auto-Submitted': 'auto-generated' },
        ...(signal === undefined ? {} : { signal }),
      })
    },
    verify: async () => void (await transport.verify()),
    close: () => transport.close(),
  }
}

function toSender({ smtpAdminEmail, smtpSenderName, siteUrl }: AuthOptions): { name: string; address: string } {
  if (!smtpAdminEmail)
    throw new ConfigurationError([
      'A mail server needs an address that mails come from: set PANDO_AUTH_SMTP_ADMIN_EMAIL ([auth.email.smtp] admin_email).',
    ])
  return { name: smtpSenderName || new URL(siteUrl).host, address: mustBeAddress(smtpAdminEmail) }
}

/** The grammar of an address leaves no room for a second one or another header. */
function mustBeAddress(text: string): string {
  canonicalEmail(text)
  return text.trim()
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
