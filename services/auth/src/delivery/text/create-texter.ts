import { errors } from '../../errors.ts'
import type { Delivery, DeliveryDeps } from '../create-delivery.ts'
import { chooseLocale } from '../mail/locales.ts'
import { chooseTextProvider } from './choose-provider.ts'
import { TextNotTaken } from './provider.ts'
import { createTextRenderer } from './render-text.ts'

type Texter = Pick<Delivery, 'sendText' | 'verifyText'> & {
  /** @throws when no message could be sent now */
  readonly mustSend: () => void
}

/** Text messages by the provider that is enabled; where none is, into the outbox. @throws when a setting is wrong */
export function createTexter({ options, outbox, observe }: DeliveryDeps): Texter {
  const render = createTextRenderer(options)
  const provider = chooseTextProvider(options)
  const refuse = (error: unknown, userId: string | undefined): never => {
    if (!(error instanceof TextNotTaken)) throw error
    observe({ name: 'text_failed', userId, error })
    throw errors.textNotSent(error.isOurs ? 'the provider refused or did not answer' : error.message)
  }
  return {
    mustSend() {
      if (provider === undefined && outbox === undefined) throw errors.textsNotConfigured()
    },
    async sendText({ phone, code, channel, purpose, user, acceptLanguage }) {
      const userLocale = user.raw_user_meta_data?.['locale']
      const locale = chooseLocale({ userLocale, acceptLanguage, fallback: options.messageLocale })
      const text = render({ code, purpose, locale })
      if (provider === undefined) {
        if (outbox === undefined) throw errors.textsNotConfigured()
        outbox.add({ channel, kind: purpose ?? 'code', to: phone, text, code })
        return {}
      }
      if (!provider.channels.includes(channel)) throw errors.channelUnknown()
      return provider.send({ phone, code, channel, text }).catch((error: unknown) => refuse(error, user.id))
    },
    verifyText:
      provider?.verify &&
      ((phone, code) => provider.verify!(phone, code).catch((error: unknown) => refuse(error, undefined))),
  }
}
