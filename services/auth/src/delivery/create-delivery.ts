import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@pando/core/clock'
import type { AuthOptions } from '../config.ts'
import type { SendMail, SendNotice, SendText, VerifyText } from '../messages.ts'
import { createMailer } from './mail/create-mailer.ts'
import type { DeliveryObservation } from './observation.ts'
import type { Outbox } from './outbox.ts'
import { createTexter } from './text/create-texter.ts'

export type DeliveryDeps = {
  readonly options: AuthOptions
  readonly clock: Clock
  readonly randomBytes: (bytes: number) => Buffer
  readonly observe: (observation: DeliveryObservation) => void
  /** Takes what no mail server or provider is there for; without it such messages are refused. */
  readonly outbox?: Outbox
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

/** How messages leave the house. */
export type Delivery = {
  /**
   * Refuses what would be refused once a message is written, before anybody has looked whether there is an account: the
   * answer must not depend on that. @throws when nobody delivers, or too many mails wait
   */
  readonly mustDeliver: (channel: 'email' | 'sms') => void
  readonly sendMail: SendMail
  readonly sendNotice: SendNotice
  readonly sendText: SendText
  /** Only where the provider makes the codes. */
  readonly verifyText?: VerifyText
  /** Asks the mail server whether it would take a mail, without waiting for the word. */
  readonly start: () => void
  /** Resolves when every mail has been taken or refused. */
  readonly drain: () => Promise<void>
  /** Gives what is on its way a moment, and up what waits after it. */
  readonly close: () => Promise<void>
}

const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal, ref: false })

/** @throws when templates, the mail server's or the provider's settings have a mistake */
export function createDelivery(deps: DeliveryDeps): Delivery {
  const mailer = createMailer({ sleep: pause, ...deps })
  const texter = createTexter(deps)
  const mustDeliver: Delivery['mustDeliver'] = (channel) =>
    channel === 'email' ? mailer.mustSend() : texter.mustSend()
  return { ...mailer, ...texter, mustDeliver }
}
