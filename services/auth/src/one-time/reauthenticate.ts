import type { AuthDeps } from '../deps.ts'
import { hashCode } from '../code-hash.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { takeTokenOfCode } from '../store/one-time-tokens.ts'
import type { UserRow } from '../store/users.ts'
import type { SignedInVisit } from '../visit.ts'
import { issueToken } from './issue-token.ts'
import { codeTriesMax, toMailLimits } from './purposes.ts'
import { atMostOften } from './send-limits.ts'
import { sendText, writeText } from './send-text.ts'
import { redirectOf } from './write-mail.ts'

const purpose = 'reauthentication'

/** `GET /reauthenticate`: a code for somebody who is signed in and is about to do something grave. */
export async function reauthenticate(deps: AuthDeps, visit: SignedInVisit): Promise<Answer> {
  const { user, address } = visit
  const { email, phone } = user
  if (email === null && phone === null)
    throw errors.invalid('Reauthentication requires the user to have an email or a phone number')
  if (email !== null && user.email_confirmed_at === null) throw errors.addressNotConfirmed('email')
  if (email === null && user.phone_confirmed_at === null) throw errors.addressNotConfirmed('phone')
  const audit = { action: 'user_reauthenticate_requested', actor: user, address } as const
  if (email === null) {
    return atMostOften(deps, { kind: purpose, address: phone!, channel: 'sms' }, async () => {
      const text = await deps.database.transaction(async (tx) => {
        await insertAuditEvent(tx, audit)
        return writeText(deps, tx, { user, purpose, phone: phone!, channel: 'sms', visit })
      })
      return { status: 200, body: await sendText(deps, text) }
    })
  }
  return atMostOften(deps, { kind: purpose, address: email, channel: 'email' }, async () => {
    const issued = await deps.database.transaction(async (tx) => {
      await insertAuditEvent(tx, audit)
      return issueToken(deps, tx, { userId: user.id, purpose, address: email, ...toMailLimits(deps.options) })
    })
    const acceptLanguage = visit.headers['accept-language']
    await deps.sendMail({
      kind: purpose,
      to: email,
      user,
      ...issued,
      redirectTo: redirectOf(deps, visit),
      acceptLanguage,
    })
    return { status: 200, body: {} }
  })
}

/** Sessions as young as this need no code. */
const freshMs = 24 * 3_600_000

/** @throws when a new password needs a code and `nonce` is none */
export async function mustBeReauthenticated(
  deps: AuthDeps,
  visit: SignedInVisit,
  nonce: string | undefined,
): Promise<void> {
  if (deps.options.emailSecurePasswordChange) await mustBeFresh(deps, visit, { nonce, what: 'Password update' })
}

/** @throws when the session is too old to do `what` without a code, and `nonce` is none */
export async function mustBeFresh(
  deps: AuthDeps,
  { session, user }: SignedInVisit,
  { nonce, what }: { readonly nonce: string | undefined; readonly what: string },
): Promise<void> {
  if (session !== undefined && deps.clock.now() - session.created_at.getTime() <= freshMs) return
  if (!nonce) throw errors.reauthenticationNeeded(what)
  if (!(await isRightNonce(deps, user, nonce))) throw errors.reauthenticationNotValid()
}

async function isRightNonce(deps: AuthDeps, user: UserRow, nonce: string): Promise<boolean> {
  const { database, pepper, verifyText } = deps
  if (user.email === null && user.phone !== null && verifyText !== undefined) return verifyText(user.phone, nonce)
  const codeHash = hashCode(pepper, user.email ?? user.phone ?? '', nonce)
  const guess = { owner: { userId: user.id }, purposes: [purpose], codeHash, triesMax: codeTriesMax }
  return (await takeTokenOfCode(database, guess)) !== undefined
}
