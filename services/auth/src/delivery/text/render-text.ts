import type { AuthOptions } from '../../config.ts'
import type { TextMessage } from '../../messages.ts'
import { translateTemplate } from '../mail/go-template.ts'
import { locales } from '../mail/locales.ts'
import { renderText } from '../mail/render.ts'

type Options = Pick<AuthOptions, 'smsTemplate' | 'phoneFactorTemplate'>
type Wording = Pick<TextMessage, 'code' | 'purpose'> & { readonly locale: string }

const variables = new Set(['Code'])

/** The words of a message with a code. @throws when a template of the project says more than variables */
export function createTextRenderer({ smsTemplate, phoneFactorTemplate }: Options): (wording: Wording) => string {
  const ofSignIn = smsTemplate ? translateTemplate(smsTemplate, '[auth.sms] template', variables) : undefined
  const ofFactor = phoneFactorTemplate
    ? translateTemplate(phoneFactorTemplate, '[auth.mfa.phone] template', variables)
    : ofSignIn
  return ({ code, purpose, locale }) =>
    renderText((purpose === 'factor' ? ofFactor : ofSignIn) ?? locales.get(locale)!.sms, { Code: code })
}
