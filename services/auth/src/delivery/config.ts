import type { BooleanOption, StringOption } from '@pando/config/option'
import type { MailKind, NoticeKind } from '../messages.ts'

/** `magic_link` as a part of an option's name: `MagicLink`. */
type Pascal<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Capitalize<Head>}${Pascal<Tail>}`
  : Capitalize<Name>

function pascal<Name extends string>(name: Name): Pascal<Name> {
  return name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase()) as Pascal<Name>
}

type Text = StringOption & { readonly default: null }
type TemplateOptions = {
  readonly [Kind in MailKind as `emailTemplate${Pascal<Kind>}${'Subject' | 'ContentPath'}`]: Text
}
type NoticeOptions = {
  readonly [Kind in NoticeKind as `emailNotification${Pascal<Kind>}${'Subject' | 'ContentPath'}`]: Text
} & { readonly [Kind in NoticeKind as `emailNotification${Pascal<Kind>}Enabled`]: BooleanOption }

const mailKinds: Readonly<Record<MailKind, string>> = {
  confirmation: 'confirms a new account',
  invite: 'invites somebody',
  recovery: 'lets somebody choose a new password',
  magic_link: 'signs somebody in',
  email_change: 'confirms a new address',
  reauthentication: 'asks somebody who is signed in for a code',
}

const noticeKinds: Readonly<Record<NoticeKind, string>> = {
  password_changed: 'that the password was changed',
  email_changed: 'that the address was changed (it goes to the old one)',
  phone_changed: 'that the phone number was changed',
  identity_linked: 'that a way to sign in was added',
  identity_unlinked: 'that a way to sign in was removed',
  mfa_factor_enrolled: 'that a second factor was added',
  mfa_factor_unenrolled: 'that a second factor was removed',
}

/** The names of the options of a mail's own template. */
export const templateOptionNames = (kind: MailKind | NoticeKind) => {
  const place = kind in mailKinds ? 'emailTemplate' : 'emailNotification'
  const name = `${place}${pascal(kind)}` as `emailTemplate${Pascal<MailKind>}`
  return { subject: `${name}Subject`, contentPath: `${name}ContentPath` } as const
}

export const noticeOptionName = (kind: NoticeKind) => `emailNotification${pascal(kind)}Enabled` as const

const subjectText = (which: string): string =>
  `Subject of the mail that ${which}; may hold variables such as \`{{ .Token }}\`.`
const pathText = (which: string): string =>
  `HTML of the mail that ${which}, with variables such as \`{{ .ConfirmationURL }}\`; the built-in one if not given.`

const templateOptions = Object.fromEntries(
  Object.entries(mailKinds).flatMap(([kind, which]) => {
    const { subject, contentPath } = templateOptionNames(kind as MailKind)
    const toml = `auth.email.template.${kind}`
    return [
      [subject, { type: 'string', default: null, toml: `${toml}.subject`, text: subjectText(which) }],
      [contentPath, { type: 'string', default: null, toml: `${toml}.content_path`, text: pathText(which) }],
    ]
  }),
) as TemplateOptions

const noticeOptions = Object.fromEntries(
  Object.entries(noticeKinds).flatMap(([kind, which]) => {
    const { subject, contentPath } = templateOptionNames(kind as NoticeKind)
    const toml = `auth.email.notification.${kind}`
    const enabled = { type: 'boolean', default: true, toml: `${toml}.enabled`, text: `Whether a mail says ${which}.` }
    return [
      [noticeOptionName(kind as NoticeKind), enabled],
      [subject, { type: 'string', default: null, toml: `${toml}.subject`, text: subjectText(`says ${which}`) }],
      [contentPath, { type: 'string', default: null, toml: `${toml}.content_path`, text: pathText(`says ${which}`) }],
    ]
  }),
) as NoticeOptions

/** How mails and text messages reach people. */
export const deliveryOptions = {
  smtpEnabled: {
    type: 'boolean',
    default: true,
    toml: 'auth.email.smtp.enabled',
    text: 'Whether mails go to the mail server, when there is one.',
  },
  smtpHost: {
    type: 'string',
    default: null,
    toml: 'auth.email.smtp.host',
    text: 'Mail server (SMTP). Without one `pando dev` keeps mails in its mailbox, and `pando serve` refuses what needs a mail.',
  },
  smtpPort: {
    type: 'integer',
    default: 587,
    min: 1,
    max: 65_535,
    toml: 'auth.email.smtp.port',
    text: 'Port of the mail server; 465 speaks TLS from the first byte, all others change to it (STARTTLS).',
  },
  smtpUser: { type: 'string', default: null, toml: 'auth.email.smtp.user', text: 'User name at the mail server.' },
  smtpPass: { type: 'secret', default: null, toml: 'auth.email.smtp.pass', text: 'Password at the mail server.' },
  smtpAdminEmail: {
    type: 'string',
    default: null,
    toml: 'auth.email.smtp.admin_email',
    text: 'Address that mails come from.',
  },
  smtpSenderName: {
    type: 'string',
    default: null,
    toml: 'auth.email.smtp.sender_name',
    text: 'Name that mails come from; the host of `PANDO_AUTH_SITE_URL` if not given.',
  },
  smtpTlsRequired: {
    type: 'boolean',
    default: true,
    text: 'Whether a mail server that offers no TLS gets no mail; one on this machine always does.',
  },
  smtpTimeout: {
    type: 'duration',
    default: 10_000,
    min: 100,
    text: 'Longest wait for a word of the mail server, and of a request for the whole of it.',
  },
  smtpPatience: {
    type: 'duration',
    default: 120_000,
    min: 0,
    text: 'How long a mail is offered again to a mail server that is away or says "later".',
  },
  smtpConnectionsMax: { type: 'integer', default: 5, min: 1, text: 'Most connections to the mail server.' },
  mailsQueuedMax: {
    type: 'integer',
    default: 1000,
    min: 1,
    text: 'Most mails that wait for the mail server; who would need another is told to come back later.',
  },
  mailboxMessagesMax: {
    type: 'integer',
    default: 500,
    min: 1,
    text: 'Most messages that the mailbox of `pando dev` keeps; the oldest goes first.',
  },
  messageLocale: {
    type: 'string',
    default: 'en',
    text: 'Language of messages to people whose own is not known or not translated.',
  },
  emailTemplateFolders: {
    type: 'list',
    default: ['.', 'pando', 'supabase'],
    text: 'Folders in which the `content_path` of a template is looked for, in this order.',
  },
  ...templateOptions,
  ...noticeOptions,
  smsTemplate: {
    type: 'string',
    default: null,
    toml: 'auth.sms.template',
    text: 'Text of a message with a code, for example `Your code is {{ .Code }}`; in the language of the person if not given.',
  },
  smsTimeout: {
    type: 'duration',
    default: 10_000,
    min: 100,
    text: 'Longest wait for the provider of text messages.',
  },
  smsApiUrl: {
    type: 'url',
    default: null,
    text: "Address of the provider's API in place of its own, for a proxy or a region.",
  },
  smsTwilioEnabled: {
    type: 'boolean',
    default: false,
    toml: 'auth.sms.twilio.enabled',
    text: 'Whether Twilio sends text messages.',
  },
  smsTwilioAccountSid: {
    type: 'string',
    default: null,
    toml: 'auth.sms.twilio.account_sid',
    text: 'Account at Twilio.',
  },
  smsTwilioMessageServiceSid: {
    type: 'string',
    default: null,
    toml: 'auth.sms.twilio.message_service_sid',
    text: 'Messaging service or number that Twilio sends from.',
  },
  smsTwilioAuthToken: {
    type: 'secret',
    default: null,
    toml: 'auth.sms.twilio.auth_token',
    text: 'Token of the account at Twilio.',
  },
  smsTwilioContentSid: {
    type: 'string',
    default: null,
    toml: 'auth.sms.twilio.content_sid',
    text: 'Approved WhatsApp template at Twilio; its variable 1 is the code.',
  },
  smsTwilioVerifyEnabled: {
    type: 'boolean',
    default: false,
    toml: 'auth.sms.twilio_verify.enabled',
    text: 'Whether Twilio Verify makes, sends and checks codes.',
  },
  smsTwilioVerifyAccountSid: {
    type: 'string',
    default: null,
    toml: 'auth.sms.twilio_verify.account_sid',
    text: 'Account at Twilio.',
  },
  smsTwilioVerifyMessageServiceSid: {
    type: 'string',
    default: null,
    toml: 'auth.sms.twilio_verify.message_service_sid',
    text: 'Verify service at Twilio.',
  },
  smsTwilioVerifyAuthToken: {
    type: 'secret',
    default: null,
    toml: 'auth.sms.twilio_verify.auth_token',
    text: 'Token of the account at Twilio.',
  },
  smsMessagebirdEnabled: {
    type: 'boolean',
    default: false,
    toml: 'auth.sms.messagebird.enabled',
    text: 'Whether MessageBird sends text messages.',
  },
  smsMessagebirdOriginator: {
    type: 'string',
    default: null,
    toml: 'auth.sms.messagebird.originator',
    text: 'Name or number that MessageBird sends from.',
  },
  smsMessagebirdAccessKey: {
    type: 'secret',
    default: null,
    toml: 'auth.sms.messagebird.access_key',
    text: 'Key at MessageBird.',
  },
  smsTextlocalEnabled: {
    type: 'boolean',
    default: false,
    toml: 'auth.sms.textlocal.enabled',
    text: 'Whether Textlocal sends text messages.',
  },
  smsTextlocalSender: {
    type: 'string',
    default: null,
    toml: 'auth.sms.textlocal.sender',
    text: 'Name that Textlocal sends from.',
  },
  smsTextlocalApiKey: {
    type: 'secret',
    default: null,
    toml: 'auth.sms.textlocal.api_key',
    text: 'Key at Textlocal.',
  },
  smsVonageEnabled: {
    type: 'boolean',
    default: false,
    toml: 'auth.sms.vonage.enabled',
    text: 'Whether Vonage sends text messages.',
  },
  smsVonageFrom: {
    type: 'string',
    default: null,
    toml: 'auth.sms.vonage.from',
    text: 'Name or number that Vonage sends from.',
  },
  smsVonageApiKey: { type: 'string', default: null, toml: 'auth.sms.vonage.api_key', text: 'Key at Vonage.' },
  smsVonageApiSecret: {
    type: 'secret',
    default: null,
    toml: 'auth.sms.vonage.api_secret',
    text: 'Secret of the key at Vonage.',
  },
} as const
