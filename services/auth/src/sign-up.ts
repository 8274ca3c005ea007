import type { BodyOf, Types } from '@pando/http/shape'
import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from './deps.ts'
import { canonicalEmail } from './email.ts'
import { errors } from './errors.ts'
import { mayBeCreated } from './hooks/before-user-created.ts'
import { insertAccount } from './new-account.ts'
import { type Request, requestConfirmation } from './one-time/request-confirmation.ts'
import { mustBeStrong } from './passwords/must-be-strong.ts'
import { passwordBytesMax } from './passwords/password-rules.ts'
import { canonicalPhone } from './phone.ts'
import type { Answer } from './route.ts'
import { startSession } from './sessions/start-session.ts'
import { insertAuditEvent } from './store/audit-log.ts'
import { findUser, insertUser, updateUser, type UserRow } from './store/users.ts'
import { newUuid } from './uuid.ts'
import type { Visit } from './visit.ts'

export const signUpBody = (Type: Types) =>
  Type.Object({
    email: Type.Optional(Type.String({ maxLength: 1000 })),
    phone: Type.Optional(Type.String({ maxLength: 100 })),
    password: Type.Optional(Type.String({ maxLength: passwordBytesMax * 2 })),
    data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    channel: Type.Optional(Type.String()),
    code_challenge: Type.Optional(Type.String({ maxLength: 128 })),
    code_challenge_method: Type.Optional(Type.String()),
  })
export type SignUp = BodyOf<typeof signUpBody>

/** `POST /signup`: an account with a password, or without an address an anonymous one. */
export function signUp(deps: AuthDeps, visit: Visit, body: SignUp): Promise<Answer> {
  if (!body.email && !body.phone) return signUpAnonymously(deps, visit, body)
  return signUpWithPassword(deps, visit, body)
}

async function signUpAnonymously(deps: AuthDeps, visit: Visit, { data = {} }: SignUp): Promise<Answer> {
  const { options, database } = deps
  if (!options.anonymousEnabled) throw errors.anonymousDisabled()
  if (!options.signupEnabled) throw errors.signupDisabled()
  const id = newUuid(deps)
  await mayBeCreated(deps, visit, { id, providers: [], userMetadata: data })
  const session = await database.transaction(async (tx) => {
    const user = await insertUser(tx, {
      id,
      role: 'authenticated',
      appMetadata: {},
      userMetadata: data,
      isAnonymous: true,
    })
    return startSession(deps, tx, { user: user!, method: 'anonymous', visit })
  })
  return { status: 200, body: session }
}

async function signUpWithPassword(deps: AuthDeps, visit: Visit, body: SignUp): Promise<Answer> {
  const { options } = deps
  if (!options.signupEnabled) throw errors.signupDisabled()
  const account = await toAccount(deps, body)
  const { id, key, provider } = account
  // Also about addresses that have an account, or the time of the answer would tell who has one.
  await mayBeCreated(deps, visit, { id, ...key, providers: [provider], userMetadata: body.data })
  return deps.passwords.admit(() =>
    account.confirms
      ? requestConfirmation(deps, { account, visit, body })
      : makeAccount(deps, { account, visit, body }),
  )
}

async function makeAccount(deps: AuthDeps, { account, visit, body }: Request): Promise<Answer> {
  const { database, passwords } = deps
  const { id, key, provider } = account
  // Before the look into the table, so that known and unknown addresses take as long.
  const passwordHash = await passwords.hash(account.password)
  const session = await database.transaction(async (tx) => {
    const user = await insertAccount(deps, tx, { id, key, passwordHash, data: body.data })
    return user && signInAtOnce(deps, tx, { user, account, visit })
  })
  if (session !== undefined) return { status: 200, body: session }
  const known = await findUser(database, key)
  if (known !== undefined) {
    const { address } = visit
    await insertAuditEvent(database, { action: 'user_repeated_signup', actor: known, address, traits: { provider } })
  }
  throw errors.userAlreadyExists()
}

export type Account = {
  readonly id: string
  readonly provider: 'email' | 'phone'
  readonly key: { readonly email: string } | { readonly phone: string }
  readonly password: string
  readonly confirms: boolean
}

async function toAccount(deps: AuthDeps, { email, phone, password }: SignUp): Promise<Account> {
  const { options } = deps
  if (!password) throw errors.invalid('Signup requires a valid password')
  if (email && phone) {
    throw errors.invalid('Only an email address or phone number should be provided on signup.')
  }
  await mustBeStrong(deps, password)
  const id = newUuid(deps)
  if (email) {
    if (!options.emailSignupEnabled) throw errors.emailSignupDisabled()
    return {
      id,
      provider: 'email',
      key: { email: canonicalEmail(email) },
      password,
      confirms: options.emailConfirmations,
    }
  }
  if (!options.phoneSignupEnabled) throw errors.phoneSignupDisabled()
  return {
    id,
    provider: 'phone',
    key: { phone: canonicalPhone(phone!) },
    password,
    confirms: options.phoneConfirmations,
  }
}

type Arrival = { readonly user: UserRow; readonly account: Account; readonly visit: Visit }

/** Where confirmations are off the address counts as confirmed, and `isProven` still knows better. */
async function signInAtOnce(deps: AuthDeps, tx: Queries, { user, account, visit }: Arrival) {
  const { provider } = account
  const { address } = visit
  await insertAuditEvent(tx, { action: 'user_signedup', actor: user, address, traits: { provider } })
  const confirmed = await updateUser(tx, user.id, {
    ...(provider === 'email' ? { emailConfirmed: true } : { phoneConfirmed: true }),
    userMetadata: { [`${provider}_verified`]: true },
  })
  return startSession(deps, tx, { user: confirmed!, method: 'password', visit })
}
