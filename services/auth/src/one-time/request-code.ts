import type { BodyOf, Types } from '@pando/http/shape'
import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { canonicalEmail } from '../email.ts'
import { errors } from '../errors.ts'
import { mayBeNew } from '../hooks/before-user-created.ts'
import { type AccountKey, insertAccount } from '../new-account.ts'
import { disputeAccount } from '../ownership.ts'
import { canonicalPhone } from '../phone.ts'
import { toCodeChallenge } from '../pkce.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { findUser, type UserRow } from '../store/users.ts'
import type { Visit } from '../visit.ts'
import { type Messages, send, writeConfirmation } from './confirmation.ts'
import { atMostOften, atTick, type Sending } from './send-limits.ts'
import { toChannel, writeText } from './send-text.ts'
import { openFlow, writeMail } from './write-mail.ts'

export const codeRequestBody = (Type: Types) =>
  Type.Object({
    email: Type.Optional(Type.String({ maxLength: 1000 })),
    phone: Type.Optional(Type.String({ maxLength: 100 })),
    create_user: Type.Optional(Type.Boolean()),
    data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    channel: Type.Optional(Type.String()),
    code_challenge: Type.Optional(Type.String({ maxLength: 128 })),
    code_challenge_method: Type.Optional(Type.String()),
  })
type CodeRequest = BodyOf<typeof codeRequestBody>

/**
 * `POST /otp`: a code and a link to sign in, by mail or text message, for a new account if need be. With
 * `create_user: false` the wire wants to be told that there is none; all else answers known and unknown alike.
 */
export function requestCode(deps: AuthDeps, visit: Visit, body: CodeRequest): Promise<Answer> {
  const { email, phone, channel } = body
  if (email && phone) throw errors.invalid('Only an email address or phone number should be provided')
  if (email && channel) throw errors.invalid('Channel should only be specified with Phone OTP')
  toCodeChallenge(body)
  if (email) return requestByMail(deps, visit, { ...body, email })
  if (phone) return requestByText(deps, visit, { ...body, phone })
  throw errors.invalid('One of email or phone must be set')
}

/** `POST /magiclink`: the older name for mails. */
export async function requestMagicLink(deps: AuthDeps, visit: Visit, body: CodeRequest): Promise<Answer> {
  if (!body.email) throw errors.unprocessable('Password recovery requires an email')
  toCodeChallenge(body)
  return requestByMail(deps, visit, { ...body, email: body.email, create_user: true })
}

function requestByMail(deps: AuthDeps, visit: Visit, body: CodeRequest & { email: string }): Promise<Answer> {
  if (!deps.options.emailSignupEnabled) throw errors.emailLoginDisabled()
  const email = canonicalEmail(body.email)
  return sendCode(deps, { sending: { kind: 'otp', address: email, channel: 'email' }, key: { email }, body, visit })
}

function requestByText(deps: AuthDeps, visit: Visit, body: CodeRequest & { phone: string }): Promise<Answer> {
  if (!deps.options.phoneSignupEnabled) throw errors.phoneUnsupported()
  const phone = canonicalPhone(body.phone)
  toChannel(body.channel)
  return sendCode(deps, { sending: { kind: 'sms', address: phone, channel: 'sms' }, key: { phone }, body, visit })
}

type Wanted = {
  readonly sending: Sending
  readonly key: AccountKey
  readonly body: CodeRequest
  readonly visit: Visit
}

function sendCode(deps: AuthDeps, wanted: Wanted): Promise<Answer> {
  const { sending, key, body, visit } = wanted
  return atTick(deps, async () => {
    const mayCreate = body.create_user ?? true
    if (!mayCreate && (await findUser(deps.database, key)) === undefined) throw errors.otpDisabled()
    return atMostOften(deps, sending, async () => {
      const newUserId = await mayBeNew(deps, visit, { key, data: body.data })
      const messages = await deps.database.transaction((tx) => write(deps, tx, { ...wanted, newUserId }))
      return { status: 200, body: await send(deps, messages) }
    })
  })
}

type Writing = Wanted & { readonly newUserId: string }

async function write(deps: AuthDeps, tx: Queries, { key, body, visit, newUserId }: Writing): Promise<Messages> {
  const user = await findOrInsert(deps, tx, { id: newUserId, key, body })
  const { address } = visit
  if ('phone' in key) {
    const channel = toChannel(body.channel)
    await insertAuditEvent(tx, { action: 'user_recovery_requested', actor: user, address, traits: { channel } })
    return { text: await writeText(deps, tx, { user, purpose: 'sms', phone: key.phone, channel, visit }) }
  }
  if (user.email_confirmed_at === null && deps.options.emailConfirmations) {
    await insertAuditEvent(tx, { action: 'user_confirmation_requested', actor: user, address })
    return writeConfirmation(deps, tx, { user, visit, body })
  }
  await insertAuditEvent(tx, { action: 'user_recovery_requested', actor: user, address })
  const purpose = 'magiclink'
  const flowId = await openFlow(deps, tx, { userId: user.id, purpose, challenge: toCodeChallenge(body) })
  return { mail: await writeMail(deps, tx, { user, purpose, to: key.email, visit, flowId }) }
}

async function findOrInsert(
  deps: AuthDeps,
  tx: Queries,
  { id, key, body }: { id: string; key: AccountKey; body: CodeRequest },
): Promise<UserRow> {
  const known = await findUser(tx, key, { lock: true })
  if (known !== undefined) return disputeAccount(tx, known)
  if (!deps.options.signupEnabled) throw errors.signupDisabled()
  const user = await insertAccount(deps, tx, { id, key, data: body.data })
  if (user !== undefined) return user
  // Somebody else has made one at the same moment.
  const other = await findUser(tx, key, { lock: true })
  if (other === undefined) throw errors.userAlreadyExists()
  return disputeAccount(tx, other)
}
