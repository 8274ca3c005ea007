import type { AuthDeps } from '../deps.ts'
import { canonicalEmail } from '../email.ts'
import { errors } from '../errors.ts'
import { mustBeStrong } from '../passwords/must-be-strong.ts'
import { canonicalPhone } from '../phone.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { insertIdentity, updateIdentity } from '../store/identities.ts'
import { deleteSessions } from '../store/sessions.ts'
import { findUser, updateUser, type UserRow } from '../store/users.ts'
import { toUserJson } from '../user.ts'
import type { Visit } from '../visit.ts'
import { mustFindUser } from './find-user.ts'
import { type AdminUserBody, toBannedUntil } from './user-body.ts'

/** `PUT /admin/users/{id}`. A ban and a new password end all sessions of the user. */
export async function updateUserAsAdmin(deps: AuthDeps, visit: Visit, body: AdminUserBody): Promise<Answer> {
  const { database, clock, limits, passwords } = deps
  const email = body.email ? canonicalEmail(body.email) : undefined
  const phone = body.phone ? canonicalPhone(body.phone) : undefined
  const bannedUntil = toBannedUntil(body.ban_duration, clock.now())
  if (body.password !== undefined) await mustBeStrong(deps, body.password)
  const passwordHash = body.password === undefined ? undefined : await passwords.hash(body.password)
  const changed = await database.transaction(async (tx) => {
    const user = await mustFindUser(tx, visit, { lock: true })
    if (email !== undefined && email !== user.email && (await findUser(tx, { email }))) throw errors.emailExists()
    if (phone !== undefined && phone !== user.phone && (await findUser(tx, { phone }))) throw errors.phoneExists()
    const identities = [
      ...(email === undefined
        ? []
        : [{ provider: 'email', data: { email, email_verified: body.email_confirm ?? false } }]),
      ...(phone === undefined
        ? []
        : [{ provider: 'phone', data: { phone, phone_verified: body.phone_confirm ?? false } }]),
    ]
    for (const { provider, data } of identities) {
      await insertIdentity(tx, { userId: user.id, provider, providerId: user.id, data: { sub: user.id, ...data } })
      await updateIdentity(tx, { userId: user.id, provider, data })
    }
    if (passwordHash !== undefined || (bannedUntil ?? null) !== null) await deleteSessions(tx, { userId: user.id })
    if (passwordHash !== undefined) await limits.forget(tx, { secret: 'password', account: user.id })
    await insertAuditEvent(tx, {
      action: 'user_modified',
      actor: visit.caller,
      address: visit.address,
      traits: { user_id: user.id, user_email: user.email ?? '', user_phone: user.phone ?? '' },
    })
    return updateUser(tx, user.id, {
      role: body.role,
      email,
      phone,
      passwordHash,
      ...(body.email_confirm ? { emailConfirmed: true } : {}),
      ...(body.phone_confirm ? { phoneConfirmed: true } : {}),
      ...(bannedUntil === undefined ? {} : { bannedUntil }),
      ...(becomesPermanent(user, body) ? { isAnonymous: false } : {}),
      appMetadata: body.app_metadata,
      userMetadata: body.user_metadata,
    })
  })
  return { status: 200, body: toUserJson(changed!) }
}

function becomesPermanent(user: UserRow, body: AdminUserBody): boolean {
  const isConfirmed = (body.email && body.email_confirm) || (body.phone && body.phone_confirm)
  return user.is_anonymous && Boolean(isConfirmed)
}
