import type { BodyOf, Types } from '@pando/http/shape'
import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from './deps.ts'
import { canonicalEmail } from './email.ts'
import { errors } from './errors.ts'
import {
  type AddressChange,
  atMostOftenToEach,
  changeAddresses,
  type NewAddresses,
} from './one-time/change-addresses.ts'
import { send } from './one-time/confirmation.ts'
import { mustBeReauthenticated } from './one-time/reauthenticate.ts'
import { toAttempt } from './passwords/check-password.ts'
import { mustBeStrong } from './passwords/must-be-strong.ts'
import { passwordBytesMax } from './passwords/password-rules.ts'
import { canonicalPhone } from './phone.ts'
import { toCodeChallenge } from './pkce.ts'
import type { Answer } from './route.ts'
import { insertAuditEvent } from './store/audit-log.ts'
import { deleteSessions } from './store/sessions.ts'
import { updateUser, type UserRow } from './store/users.ts'
import { hasVerifiedFactor, toUserJson } from './user.ts'
import type { SignedInVisit } from './visit.ts'

export const updateUserBody = (Type: Types) =>
  Type.Object({
    email: Type.Optional(Type.String({ maxLength: 1000 })),
    phone: Type.Optional(Type.String({ maxLength: 100 })),
    password: Type.Optional(Type.String({ maxLength: passwordBytesMax * 2 })),
    current_password: Type.Optional(Type.String({ maxLength: passwordBytesMax * 2 })),
    nonce: Type.Optional(Type.String({ maxLength: 100 })),
    data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    app_metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    channel: Type.Optional(Type.String()),
    code_challenge: Type.Optional(Type.String({ maxLength: 128 })),
    code_challenge_method: Type.Optional(Type.String()),
  })
type UpdateUser = BodyOf<typeof updateUserBody>

/**
 * `PUT /user`: what a person may change about their own account. A new password ends all other sessions; a new address
 * waits until its owner has confirmed it.
 */
export async function updateOwnUser(deps: AuthDeps, visit: SignedInVisit, body: UpdateUser): Promise<Answer> {
  const { user, session, headers } = visit
  if (body.app_metadata !== undefined) throw errors.appMetadataNeedsAdmin()
  const change = { visit, addresses: toNewAddresses(user, body), body }
  const isGrave = body.password !== undefined || Object.keys(change.addresses).length > 0
  if (isGrave && hasVerifiedFactor(user) && session?.aal !== 'aal2') throw errors.insufficientAal()
  const passwordHash = body.password === undefined ? undefined : await toNewHash(deps, change, body)
  const changed = await atMostOftenToEach(deps, change, async () => {
    const saved = await deps.database.transaction((tx) => save(deps, tx, { change, passwordHash, data: body.data }))
    await Promise.all(saved.messages.map((message) => send(deps, message)))
    return saved.user
  })
  if (passwordHash !== undefined && user.email !== null) {
    const acceptLanguage = headers['accept-language']
    deps.sendNotice({ kind: 'password_changed', to: user.email, user: changed, acceptLanguage })
  }
  return { status: 200, body: toUserJson(changed) }
}

function toNewAddresses(user: UserRow, body: UpdateUser): NewAddresses {
  const email = body.email ? canonicalEmail(body.email) : undefined
  const phone = body.phone ? canonicalPhone(body.phone) : undefined
  toCodeChallenge(body)
  return {
    ...(email === undefined || email === user.email ? {} : { email }),
    ...(phone === undefined || phone === user.phone ? {} : { phone }),
  }
}

async function toNewHash(
  deps: AuthDeps,
  { visit, addresses }: AddressChange,
  { password = '', current_password: current, nonce }: UpdateUser,
): Promise<string> {
  const { passwords } = deps
  const { user } = visit
  await mustBeStrong(deps, password)
  const { email, phone } = { email: user.email, phone: user.phone, ...addresses }
  if (user.is_anonymous && email === null && phone === null) {
    throw errors.unprocessable('Updating password of an anonymous user without an email or phone is not allowed')
  }
  await mustBeReauthenticated(deps, visit, nonce)
  if (user.encrypted_password) {
    await mustKnowPassword(deps, visit, current)
    const { ok } = await passwords.verify(password, user.encrypted_password)
    if (ok) throw errors.samePassword()
  }
  return passwords.hash(password)
}

/** Who came by a forgotten password is not asked for it. A wrong one counts as a wrong sign-in. */
async function mustKnowPassword(deps: AuthDeps, visit: SignedInVisit, current: string | undefined): Promise<void> {
  const { options, limits, passwords } = deps
  const { user, session } = visit
  if (!options.emailRequireCurrentPassword || session?.amr.some(({ method }) => method === 'recovery')) return
  if (!current) throw errors.currentPasswordRequired()
  const attempt = toAttempt(visit, user)
  await limits.begin(attempt)
  const { ok } = await passwords.verify(current, user.encrypted_password!)
  if (!ok) throw errors.currentPasswordInvalid()
  await limits.end(deps.database, attempt)
}

type Save = {
  readonly change: AddressChange
  readonly passwordHash: string | undefined
  readonly data: UpdateUser['data']
}

async function save(deps: AuthDeps, tx: Queries, { change, passwordHash, data }: Save) {
  const { user, session, address } = change.visit
  if (passwordHash !== undefined) {
    await deleteSessions(tx, { userId: user.id, except: session?.id })
    await insertAuditEvent(tx, { action: 'user_updated_password', actor: user, address })
  }
  await insertAuditEvent(tx, { action: 'user_modified', actor: user, address })
  const messages = await changeAddresses(deps, tx, change)
  const changed = await updateUser(tx, user.id, { passwordHash, userMetadata: data })
  if (changed === undefined) throw errors.userOfTokenNotFound()
  if (passwordHash !== undefined) await deps.limits.forget(tx, { secret: 'password', account: user.id })
  return { user: changed, messages }
}
