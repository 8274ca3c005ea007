import { Type, type Static } from 'typebox'
import type { AuthDeps } from './deps.ts'
import { errors } from './errors.ts'
import { mustBeStrong, passwordBytesMax } from './passwords/password-rules.ts'
import type { Answer } from './route.ts'
import { insertAuditEvent } from './store/audit-log.ts'
import { deleteSessions } from './store/sessions.ts'
import { updateUser, type UserRow } from './store/users.ts'
import { hasVerifiedFactor, toUserJson } from './user.ts'
import type { SignedInVisit } from './visit.ts'

export const updateUserBody = Type.Object({
  password: Type.Optional(Type.String({ maxLength: passwordBytesMax * 2 })),
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  app_metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})
type UpdateUser = Static<typeof updateUserBody>

/** `PUT /user`: what a person may change about their own account. A new password ends all other sessions. */
export async function updateOwnUser(deps: AuthDeps, visit: SignedInVisit, body: UpdateUser): Promise<Answer> {
  const { user, session, address } = visit
  if (body.app_metadata !== undefined) throw errors.appMetadataNeedsAdmin()
  if (body.password !== undefined && hasVerifiedFactor(user) && session?.aal !== 'aal2') throw errors.insufficientAal()
  const passwordHash = body.password === undefined ? undefined : await toNewHash(deps, user, body.password)
  const changed = await deps.database.transaction(async (tx) => {
    if (passwordHash !== undefined) {
      await deleteSessions(tx, { userId: user.id, except: session?.id })
      await insertAuditEvent(tx, { action: 'user_updated_password', actor: user, address })
    }
    await insertAuditEvent(tx, { action: 'user_modified', actor: user, address })
    return updateUser(tx, user.id, { passwordHash, userMetadata: body.data })
  })
  if (changed === undefined) throw errors.userOfTokenNotFound()
  return { status: 200, body: toUserJson(changed) }
}

async function toNewHash({ options, passwords }: AuthDeps, user: UserRow, password: string): Promise<string> {
  mustBeStrong(password, options)
  if (user.is_anonymous && user.email === null && user.phone === null) {
    throw errors.unprocessable('Updating password of an anonymous user without an email or phone is not allowed')
  }
  if (user.encrypted_password) {
    const { ok } = await passwords.verify(password, user.encrypted_password)
    if (ok) throw errors.samePassword()
  }
  return passwords.hash(password)
}
