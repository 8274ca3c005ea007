import type { AuthOptions } from '../config.ts'
import type { Delivery } from '../delivery/create-delivery.ts'
import type { Limits } from './limits.ts'
import { toRate } from './rates.ts'

export type DeliveryLimits = {
  readonly limits: Limits
  readonly options: AuthOptions
  /** Messages that only the mailbox of development shows cost nothing. */
  readonly counts: { readonly mails: boolean; readonly texts: boolean }
}

/**
 * Takes a token of the installation for each message that leaves it. Whom it goes to was counted when it was asked for.
 */
export function limitDelivery(delivery: Delivery, { limits, options, counts }: DeliveryLimits): Delivery {
  const take = (name: 'mail' | 'text') => limits.take([{ rate: toRate(name, options), subject: '' }])
  return {
    ...delivery,
    sendMail: async (mail) => {
      if (counts.mails) await take('mail')
      await delivery.sendMail(mail)
    },
    sendText: async (message) => {
      if (counts.texts) await take('text')
      return delivery.sendText(message)
    },
  }
}
