import type { BodyOf, Types } from '@pando/http/shape'
import type { AuthDeps } from './deps.ts'
import { canonicalEmail } from './email.ts'
import { errors } from './errors.ts'
import { canonicalPhone } from './phone.ts'
import { checkPassword, toAttempt } from './passwords/check-password.ts'
import { judgePassword } from './passwords/must-be-strong.ts'
import { passwordBytesMax } from './passwords/password-rules.ts'
import type { Answer } from './route.ts'
import { startSession } from './sessions/start-session.ts'
import { findUser, updateUser, type UserKey, type UserRow } from './store/users.ts'
import { isBanned } from './user.ts'
import type { Visit } from './visit.ts'

export const passwordGrantBody = (Type: Types) =>
  Type.Object({
    email: Type.Optional(Type.String({ maxLength: 1000 })),
    phone: Type.Optional(Type.String({ maxLength: 100 })),
    password: Type.Optional(Type.String({ maxLength: passwordBytesMax * 2 })),
  })
type PasswordGrant = BodyOf<typeof passwordGrantBody>

/**
 * `POST /token?grant_type=password`. Known and unknown accounts are answered alike and take as long: the password is
 * always checked, against nothing where there is no account.
 */
export function signInWithPassword(deps: AuthDeps, visit: Visit, body: PasswordGrant): Promise<Answer> {
  const key = toKey(deps, body)
  return deps.passwords.admit(() => signIn(deps, visit, { key, password: body.password ?? '' }))
}

type Credential = { readonly key: UserKey; readonly password: string }

async function signIn(deps: AuthDeps, visit: Visit, { key, password }: Credential): Promise<Answer> {
  const { database, passwords, limits, clock } = deps
  const found = await findUser(database, key)
  const attempt = toAttempt(visit, found, key)
  const { user, outdated } = await checkPassword(deps, visit, { user: found, attempt, password })
  if (isBanned(user, clock.now())) throw errors.userBanned()
  mustBeConfirmed(user, key)
  const newHash = outdated ? await passwords.hash(password) : undefined
  const session = await database.transaction(async (tx) => {
    if (newHash !== undefined) await updateUser(tx, user.id, { passwordHash: newHash })
    const started = await startSession(deps, tx, { user, method: 'password', visit })
    // Last, so that nobody else who tries this account waits for a hook.
    await limits.end(tx, attempt)
    return started
  })
  // Who is in stays in, whatever the breach check says.
  const weak = await judgePassword(deps, password).catch(() => undefined)
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
