import type { Queries } from '@pando/postgres/database'
import type { AuthOptions } from '../config.ts'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { TextMessage, TextReceipt } from '../messages.ts'
import type { UserRow } from '../store/users.ts'
import type { Visit } from '../visit.ts'
import { issueToken } from './issue-token.ts'
import { type TextPurpose, toTextLimits } from './purposes.ts'

/** The fixed code of a number that never gets a message. */
export function testCodeOf({ smsTestOtp }: Pick<AuthOptions, 'smsTestOtp'>, phone: string): string | undefined {
  for (const pair of smsTestOtp) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim().replace(/^\+/, '') === phone) return pair.slice(at + 1).trim()
  }
  return undefined
}

/** @throws when the wire's `channel` is none */
export function toChannel(channel: string | undefined): TextMessage['channel'] {
  if (channel === undefined || channel === '' || channel === 'sms') return 'sms'
  if (channel === 'whatsapp') return 'whatsapp'
  throw errors.channelUnknown()
}

type Wanted = {
  readonly user: UserRow
  readonly purpose: TextPurpose
  readonly phone: string
  readonly channel: TextMessage['channel']
  readonly visit: Visit
}

/** A text message with a new code, to be sent when the transaction has committed; undefined for test numbers. */
export async function writeText(deps: AuthDeps, tx: Queries, wanted: Wanted): Promise<TextMessage | undefined> {
  const { user, purpose, phone, channel, visit } = wanted
  const fixed = testCodeOf(deps.options, phone)
  const limits = toTextLimits(deps.options)
  const issued = await issueToken(deps, tx, {
    userId: user.id,
    purpose,
    address: phone,
    ...limits,
    code: fixed,
  })
  if (fixed !== undefined) return undefined
  return { phone, code: issued.code, channel, user, acceptLanguage: visit.headers['accept-language'] }
}

/** Sends a text message if there is one, and answers as the wire does. */
export async function sendText(
  { sendText: send }: AuthDeps,
  message: TextMessage | undefined,
): Promise<{ readonly message_id?: string }> {
  const receipt: TextReceipt = message === undefined ? { id: 'test-otp' } : await send(message)
  return receipt.id === undefined ? {} : { message_id: receipt.id }
}
