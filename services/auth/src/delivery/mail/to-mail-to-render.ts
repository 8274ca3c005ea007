import type { AuthOptions } from '../../config.ts'
import type { Mail, Notice } from '../../messages.ts'
import { chooseLocale } from './locales.ts'
import type { MailToRender } from './render-mail.ts'
import type { View } from './render.ts'

type Options = Pick<AuthOptions, 'siteUrl' | 'smtpSenderName' | 'messageLocale' | 'emailOtpExpiry'>

/** What a mail says to whom, in which language, under the names that templates of existing projects know. */
export function toMailToRender(options: Options, mail: Mail | Notice): MailToRender {
  const { kind, user, acceptLanguage } = mail
  const { siteUrl, smtpSenderName, messageLocale, emailOtpExpiry } = options
  const { host } = new URL(siteUrl)
  const data = user.raw_user_meta_data ?? {}
  return {
    kind,
    locale: chooseLocale({ userLocale: data['locale'], acceptLanguage, fallback: messageLocale }),
    validityMs: 'code' in mail ? emailOtpExpiry : undefined,
    view: {
      SiteURL: siteUrl,
      SiteHost: host,
      SiteName: smtpSenderName || host,
      Email: user.email ?? '',
      Data: data,
      ...('code' in mail ? toMailView(mail) : toNoticeView(mail)),
    },
  }
}

const toMailView = ({ to, code, tokenHash, actionUrl, redirectTo, newEmail }: Mail): View => ({
  ConfirmationURL: actionUrl,
  Token: code,
  TokenHash: tokenHash,
  RedirectTo: redirectTo,
  NewEmail: newEmail,
  SendingTo: to,
})

const toNoticeView = ({ user, oldEmail, oldPhone, provider, factorType }: Notice): View => ({
  OldEmail: oldEmail,
  Phone: user.phone ?? '',
  OldPhone: oldPhone,
  Provider: provider,
  FactorType: factorType,
})
