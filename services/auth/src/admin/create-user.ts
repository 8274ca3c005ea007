import type { AuthDeps } from '../deps.ts'
import { canonicalEmail } from '../email.ts'
import { errors } from '../errors.ts'
import { mayBeCreated } from '../hooks/before-user-created.ts'
import { mustBeHash } from '../passwords/known-hashes.ts'
import { mustBeStrong } from '../passwords/must-be-strong.ts'
import { canonicalPhone } from '../phone.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { insertIdentity } from '../store/identities.ts'
import { findUser, insertUser, updateUser } from '../store/users.ts'
import { toUserJson } from '../user.ts'
import { isUuid, newUuid } from '../uuid.ts'
import type { Visit } from '../visit.ts'
import { type AdminUserBody, toBannedUntil } from './user-body.ts'

/**
 * `POST /admin/users`: an account made by somebody who may; also how accounts of another system come in, with their
 * hashes.
 */
export async function createUser(deps: AuthDeps, visit: Visit, body: AdminUserBody): Promise<Answer> {
  const { database, clock } = deps
  const email = body.email ? canonicalEmail(body.email) : undefined
  const phone = body.phone ? canonicalPhone(body.phone) : undefined
  if (email === undefined && phone === undefined)
    throw errors.invalid('Cannot create a user without either an email or phone')
  if (body.id !== undefined && !isUuid(body.id)) throw errors.invalid('ID must conform to the uuid v4 format')
  const bannedUntil = toBannedUntil(body.ban_duration, clock.now())
  const passwordHash = await toHash(deps, body)
  const id = body.id ?? newUuid(deps)
  const providers = [...(email === undefined ? [] : ['email']), ...(phone === undefined ? [] : ['phone'])]
  const { app_metadata: appMetadata, user_metadata: userMetadata } = body
  await mayBeCreated(deps, visit, { id, email, phone, providers, appMetadata, userMetadata })
  const created = await database.transaction(async (tx) => {
    if (email !== undefined && (await findUser(tx, { email })) !== undefined) throw errors.emailExists()
    if (phone !== undefined && (await findUser(tx, { phone })) !== undefined) throw errors.phoneExists()
    const user = await insertUser(tx, {
      id,
      role: body.role ?? 'authenticated',
      email,
      phone,
      passwordHash,
      appMetadata: { provider: providers[0], providers, ...body.app_metadata },
      userMetadata: body.user_metadata ?? {},
    })
    if (user === undefined) throw errors.userAlreadyExists()
    const verified = { email_verified: body.email_confirm ?? false, phone_verified: body.phone_confirm ?? false }
    for (const provider of providers) {
      const data = { sub: id, ...(provider === 'email' ? { email } : { phone }), ...verified }
      await insertIdentity(tx, { userId: id, provider, providerId: id, data })
    }
    const traits = { user_id: id, user_email: email ?? '', user_phone: phone ?? '', provider: providers[0] }
    await insertAuditEvent(tx, { action: 'user_signedup', actor: visit.caller, address: visit.address, traits })
    return updateUser(tx, id, {
      ...(body.email_confirm ? { emailConfirmed: true } : {}),
      ...(body.phone_confirm ? { phoneConfirmed: true } : {}),
      ...(bannedUntil === undefined ? {} : { bannedUntil }),
    })
  })
  return { status: 200, body: toUserJson(created!) }
}

async function toHash(deps: AuthDeps, body: AdminUserBody): Promise<string | undefined> {
  const { password, password_hash } = body
  if (password && password_hash) throw errors.invalid('Only a password or a password hash should be provided')
  if (password_hash) return mustBeHash(password_hash)
  if (!password) return undefined
  await mustBeStrong(deps, password)
  return deps.passwords.hash(password)
}
