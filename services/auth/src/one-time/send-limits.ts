import { setTimeout as sleep } from 'node:timers/promises'
import { hashCode } from '../code-hash.ts'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { forgetSend, noteSend } from '../store/recent-sends.ts'
import { testCodeOf } from './send-text.ts'

/** Answers come at multiples of this, so that time does not tell whether there is an account. */
const tickMs = 100

/** What is sent, and to whom; known or not, each address may ask for one message of a kind in a while. */
export type Sending = {
  readonly kind: 'signup' | 'otp' | 'recovery' | 'email_change' | 'reauthentication' | 'sms' | 'phone_change'
  readonly address: string
  readonly channel: 'email' | 'sms'
}

/**
 * Does what leads to a message, unless the last one of the kind to this address was too short ago. When it fails the
 * next try need not wait.
 *
 * @throws over_email_send_rate_limit, over_sms_send_rate_limit; what `mustDeliver` says
 */
export async function atMostOften<T>(deps: AuthDeps, sending: Sending, work: () => Promise<T>): Promise<T> {
  const { database, options, pepper } = deps
  const { kind, address, channel } = sending
  // A test number gets no message.
  if (channel === 'email' || testCodeOf(options, address) === undefined) deps.mustDeliver(channel)
  const frequencyMs = channel === 'email' ? options.emailFrequency : options.smsFrequency
  if (frequencyMs === 0) return work()
  const key = hashCode(pepper, `send ${kind}`, address)
  const leftMs = await noteSend(database, { key, frequencyMs })
  if (leftMs !== undefined) throw errors.tooSoon(channel, Math.ceil(leftMs / 1000))
  try {
    return await work()
  } catch (error) {
    await forgetSend(database, key)
    throw error
  }
}

/** Answers, or refuses, at the next tick. */
export async function atTick<T>({ clock }: AuthDeps, work: () => Promise<T>): Promise<T> {
  const begun = clock.monotonic()
  try {
    return await work()
  } finally {
    await sleep(tickMs - ((clock.monotonic() - begun) % tickMs))
  }
}
