import { Type, type Static } from 'typebox'
import type { AuthDeps } from './deps.ts'
import { canonicalEmail } from './email.ts'
import { errors } from './errors.ts'
import { canonicalPhone } from './phone.ts'
import { passwordBytesMax, whyWeak } from './passwords/password-rules.ts'
import type { Answer } from './route.ts'
import { startSession } from './sessions/start-session.ts'
import { findUser, updateUser, type UserKey, type UserRow } from './store/users.ts'
import { isBanned } from './user.ts'
import type { Visit } from './visit.ts'

export const passwordGrantBody = Type.Object({
  email: Type.Optional(Type.String({ maxLength: 1000 })),
  phone: Type.Optional(Type.String({ maxLength: 100 })),
  password: Type.Optional(Type.String({ maxLength: passwordBytesMax * 2 })),
})
type PasswordGrant = Static<typeof passwordGrantBody>

/**
 * `POST /token?grant_type=password`. Known and unknown accounts are answered alike and take as long: the password is always
 * checked, against nothing where there is no account.
 */
export function signInWithPassword(deps: AuthDeps, visit: Visit, body: PasswordGrant): Promise<Answer> {
  const key = toKey(deps, body)
  return deps.passwords.admit(() => signIn(deps, visit, { key, password: body.password ?? '' }))
}

type Credential = { readonly key: UserKey; readonly password: string }

async function signIn(deps: AuthDeps, visit: Visit, { key, password }: Credential): Promise<Answer> {
  const { database, passwords, options, clock } = deps
  const user = await findUser(database, key)
  const hash = user?.encrypted_password || undefined
  const { ok, outdated } = await passwords.verify(password, hash)
  if (user === undefined || !ok) throw errors.invalidCredentials()
  if (isBanned(user, clock.now())) throw errors.userBanned()
  mustBeConfirmed(user, key)
  const newHash = outdated ? await passwords.hash(password) : undefined
  const session = await database.transaction(async (tx) => {
    if (newHash !== undefined) await updateUser(tx, user.id, { passwordHash: newHash })
    return startSession(deps, tx, { user, method: 'password', visit })
  })
  const weak = whyWeak(password, options)
  return { status: 200, body: weak === undefined ? session : { ...session, weak_password: weak } }
}

function toKey({ options }: AuthDeps, { email, phone }: PasswordGrant): UserKey {
  if (email && phone) throw errors.invalid('Only an email address or phone number should be provided on login.')
  if (email) {
    if (!options.emailSignupEnabled) throw errors.emailLoginDisabled()
    return { email: canonicalEmail(email) }
  }
  if (!phone) throw errors.invalid('missing email or phone')
  if (!options.phoneSignupEnabled) throw errors.phoneLoginDisabled()
  return { phone: canonicalPhone(phone) }
}

function mustBeConfirmed(user: UserRow, key: UserKey): void {
  if ('email' in key && user.email_confirmed_at === null) throw errors.emailNotConfirmed()
  if ('phone' in key && user.phone_confirmed_at === null) throw errors.phoneNotConfirmed()
}
