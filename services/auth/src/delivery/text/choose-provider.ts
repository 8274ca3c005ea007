import { ConfigurationError } from '@pando/config/read-configuration'
import type { Secret } from '@pando/config/secret'
import type { AuthOptions } from '../../config.ts'
import { createMessageBird } from './message-bird.ts'
import type { TextProvider } from './provider.ts'
import { createTextlocal } from './textlocal.ts'
import { createTwilio } from './twilio.ts'
import { createTwilioVerify } from './twilio-verify.ts'
import { createVonage } from './vonage.ts'

const names = ['twilio', 'twilio_verify', 'messagebird', 'textlocal', 'vonage'] as const
type ProviderName = (typeof names)[number]

const isEnabled: Readonly<Record<ProviderName, (options: AuthOptions) => boolean>> = {
  twilio: (options) => options.smsTwilioEnabled,
  twilio_verify: (options) => options.smsTwilioVerifyEnabled,
  messagebird: (options) => options.smsMessagebirdEnabled,
  textlocal: (options) => options.smsTextlocalEnabled,
  vonage: (options) => options.smsVonageEnabled,
}

const create: Readonly<Record<ProviderName, (options: AuthOptions) => TextProvider>> = {
  twilio: (options) =>
    createTwilio({
      accountSid: must('twilio', 'account_sid', options.smsTwilioAccountSid),
      sender: must('twilio', 'message_service_sid', options.smsTwilioMessageServiceSid),
      authToken: must('twilio', 'auth_token', options.smsTwilioAuthToken),
      contentSid: options.smsTwilioContentSid || null,
      ...common(options),
    }),
  twilio_verify: (options) =>
    createTwilioVerify({
      accountSid: must('twilio_verify', 'account_sid', options.smsTwilioVerifyAccountSid),
      serviceSid: must('twilio_verify', 'message_service_sid', options.smsTwilioVerifyMessageServiceSid),
      authToken: must('twilio_verify', 'auth_token', options.smsTwilioVerifyAuthToken),
      ...common(options),
    }),
  messagebird: (options) =>
    createMessageBird({
      originator: must('messagebird', 'originator', options.smsMessagebirdOriginator),
      accessKey: must('messagebird', 'access_key', options.smsMessagebirdAccessKey),
      ...common(options),
    }),
  textlocal: (options) =>
    createTextlocal({
      sender: must('textlocal', 'sender', options.smsTextlocalSender),
      apiKey: must('textlocal', 'api_key', options.smsTextlocalApiKey),
      ...common(options),
    }),
  vonage: (options) =>
    createVonage({
      from: must('vonage', 'from', options.smsVonageFrom),
      apiKey: must('vonage', 'api_key', options.smsVonageApiKey),
      apiSecret: must('vonage', 'api_secret', options.smsVonageApiSecret),
      ...common(options),
    }),
}

export const enabledTextProviders = (options: AuthOptions): readonly ProviderName[] =>
  names.filter((name) => isEnabled[name](options))

/** The provider that is enabled, if one is. @throws ConfigurationError when two are, or one lacks a setting */
export function chooseTextProvider(options: AuthOptions): TextProvider | undefined {
  const enabled = enabledTextProviders(options)
  if (enabled.length > 1)
    throw new ConfigurationError([
      `Only one provider can send text messages, but ${enabled.join(' and ')} are enabled ([auth.sms.…] enabled).`,
    ])
  return enabled[0] === undefined ? undefined : create[enabled[0]](options)
}

const common = ({ smsApiUrl, smsTimeout }: AuthOptions) => ({
  apiUrl: smsApiUrl?.replace(/\/$/, '') ?? null,
  timeoutMs: smsTimeout,
})

function must(provider: ProviderName, member: string, value: string | Secret | null): string {
  const text = typeof value === 'string' || value === null ? value : value.reveal()
  if (text) return text
  const variable = `PANDO_AUTH_SMS_${provider}_${member}`.toUpperCase()
  throw new ConfigurationError([
    `${provider} is enabled and needs ${member}: set it in [auth.sms.${provider}], or ${variable}.`,
  ])
}
