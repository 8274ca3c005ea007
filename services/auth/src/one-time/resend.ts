import type { BodyOf, Types } from '@pando/http/shape'
import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { canonicalEmail } from '../email.ts'
import { errors } from '../errors.ts'
import type { AccountKey } from '../new-account.ts'
import { canonicalPhone } from '../phone.ts'
import { toCodeChallenge } from '../pkce.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { findUser, type UserRow } from '../store/users.ts'
import type { Visit } from '../visit.ts'
import { writeEmailChange } from './change-email.ts'
import { type Messages, sendUnheard, writeConfirmation } from './confirmation.ts'
import { atMostOften, atTick, type Sending } from './send-limits.ts'
import { writeText } from './send-text.ts'

export const resendBody = (Type: Types) =>
  Type.Object({
    type: Type.Optional(Type.String()),
    email: Type.Optional(Type.String({ maxLength: 1000 })),
    phone: Type.Optional(Type.String({ maxLength: 100 })),
    code_challenge: Type.Optional(Type.String({ maxLength: 128 })),
    code_challenge_method: Type.Optional(Type.String()),
  })
type Resend = BodyOf<typeof resendBody>

const kinds = { signup: 'signup', email_change: 'email_change', sms: 'sms', phone_change: 'phone_change' } as const
type ResendType = keyof typeof kinds

/**
 * `POST /resend`: the message of a sign-up or a change that waits for its confirmation, once more. Nobody learns
 * whether there is an account, or whether it waits.
 */
export async function resend(deps: AuthDeps, visit: Visit, body: Resend): Promise<Answer> {
  const type = toType(body)
  toCodeChallenge(body)
  const key = toKey(deps, body)
  const [address] = Object.values(key) as [string]
  const sending: Sending = { kind: kinds[type], address, channel: 'email' in key ? 'email' : 'sms' }
  return atTick(deps, () =>
    atMostOften(deps, sending, async () => {
      const messages = await deps.database.transaction(async (tx) => {
        const user = await findUser(tx, key, { lock: true })
        return user === undefined ? [] : write(deps, tx, { type, user, visit, body })
      })
      await Promise.all(messages.map((message) => sendUnheard(deps, message)))
      return { status: 200, body: {} }
    }),
  )
}

function toType({ type, email, phone }: Resend): ResendType {
  if (type === undefined || !Object.hasOwn(kinds, type))
    throw errors.invalid('Missing one of these types: signup, email_change, sms, phone_change')
  if (!email && type === 'signup') throw errors.invalid('Type provided requires an email address')
  if (!phone && type === 'sms') throw errors.invalid('Type provided requires a phone number')
  return type as ResendType
}

function toKey({ options }: AuthDeps, { email, phone }: Resend): AccountKey {
  if (email && phone) throw errors.invalid('Only an email address or phone number should be provided.')
  if (email) {
    if (!options.emailSignupEnabled) throw errors.emailLoginDisabled()
    return { email: canonicalEmail(email) }
  }
  if (!phone) throw errors.invalid('Missing email address or phone number')
  if (!options.phoneSignupEnabled) throw errors.phoneLoginDisabled()
  return { phone: canonicalPhone(phone) }
}

type Again = { readonly type: ResendType; readonly user: UserRow; readonly visit: Visit; readonly body: Resend }

async function write(deps: AuthDeps, tx: Queries, { type, user, visit, body }: Again): Promise<Messages[]> {
  const { address } = visit
  const actor = user
  if (type === 'signup') {
    if (user.email_confirmed_at !== null) return []
    await insertAuditEvent(tx, { action: 'user_confirmation_requested', actor, address })
    return [await writeConfirmation(deps, tx, { user, visit, body })]
  }
  if (type === 'sms') {
    if (user.phone_confirmed_at !== null) return []
    await insertAuditEvent(tx, { action: 'user_recovery_requested', actor, address })
    const phone = user.phone!
    return [{ text: await writeText(deps, tx, { user, purpose: 'sms', phone, channel: 'sms', visit }) }]
  }
  if (type === 'email_change') {
    if (!user.email_change) return []
    const mails = await writeEmailChange(deps, tx, { user, email: user.email_change, visit, body })
    return mails.map((mail) => ({ mail }))
  }
  if (!user.phone_change) return []
  const phone = user.phone_change
  return [{ text: await writeText(deps, tx, { user, purpose: 'phone_change', phone, channel: 'sms', visit }) }]
}
