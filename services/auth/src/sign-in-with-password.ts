import type { BodyOf, Types } from '@pando/http/shape'
import type { AuthDeps } from './deps.ts'
import { canonicalEmail } from './email.ts'
import { errors } from './errors.ts'
import type { AccountRow } from './limits/store.ts'
import { canonicalPhone } from './phone.ts'
import { checkPassword, toAttempt } from './passwords/check-password.ts'
import { judgePassword } from './passwords/must-be-strong.ts'
import { passwordBytesMax } from './passwords/password-rules.ts'
import type { Answer } from './route.ts'
import type { SessionJson } from './sessions/access-token.ts'
import { type Start, startSession } from './sessions/start-session.ts'
import type { UserKey } from './store/users.ts'
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

async function signIn(deps: AuthDeps, visit: Visit, credential: Credential): Promise<Answer> {
  const { passwords, clock } = deps
  const { key, password } = credential
  const { user, outdated } = await checkPassword(deps, visit, credential)
  if (isBanned(user, clock.now())) throw errors.userBanned()
  mustBeConfirmed(user, key)
  const passwordHash = outdated ? await passwords.hash(password) : undefined
  const session = await start(deps, { user, method: 'password', visit, passwordHash })
  // Who is in stays in, whatever the breach check says.
  const weak = await judgePassword(deps, password).catch(() => undefined)
  return { status: 200, body: weak === undefined ? session : { ...session, weak_password: weak } }
}

/** One statement, unless a hook may still refuse or other sessions have to end. */
function start(deps: AuthDeps, facts: Start): Promise<SessionJson> {
  const { database, hooks, limits, options } = deps
  const attempt = toAttempt(facts.visit, facts.user)
  if (hooks.customAccessToken === undefined && !options.singleSessionPerUser) {
    return startSession(deps, database, { ...facts, attempt })
  }
  return database.transaction(async (tx) => {
    const session = await startSession(deps, tx, facts)
    // Last, so that nobody else who tries this account waits for a hook.
    await limits.end(tx, attempt)
    return session
  })
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

function mustBeConfirmed(user: AccountRow, key: UserKey): void {
  if ('email' in key && user.email_confirmed_at === null) throw errors.emailNotConfirmed()
  if ('phone' in key && user.phone_confirmed_at === null) throw errors.phoneNotConfirmed()
}
