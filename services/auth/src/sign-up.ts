import type { Queries } from '@pando/postgres/database'
import { Type, type Static } from 'typebox'
import type { AuthDeps } from './deps.ts'
import { canonicalEmail } from './email.ts'
import { errors } from './errors.ts'
import { passwordBytesMax, mustBeStrong } from './passwords/password-rules.ts'
import { canonicalPhone } from './phone.ts'
import type { Answer } from './route.ts'
import { startSession } from './sessions/start-session.ts'
import { insertAuditEvent } from './store/audit-log.ts'
import { insertIdentity } from './store/identities.ts'
import { findUser, insertUser, type Metadata, updateUser, type UserRow } from './store/users.ts'
import { toUserJson } from './user.ts'
import { newUuid } from './uuid.ts'
import type { Visit } from './visit.ts'

export const signUpBody = Type.Object({
  email: Type.Optional(Type.String({ maxLength: 1000 })),
  phone: Type.Optional(Type.String({ maxLength: 100 })),
  password: Type.Optional(Type.String({ maxLength: passwordBytesMax * 2 })),
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  channel: Type.Optional(Type.String()),
  code_challenge: Type.Optional(Type.String({ maxLength: 128 })),
  code_challenge_method: Type.Optional(Type.String()),
})
type SignUp = Static<typeof signUpBody>

/** `POST /signup`: an account with a password, or without an address an anonymous one. */
export function signUp(deps: AuthDeps, visit: Visit, body: SignUp): Promise<Answer> {
  if (!body.email && !body.phone) return signUpAnonymously(deps, visit, body)
  return signUpWithPassword(deps, visit, body)
}

async function signUpAnonymously(deps: AuthDeps, visit: Visit, { data = {} }: SignUp): Promise<Answer> {
  const { options, database } = deps
  if (!options.anonymousEnabled) throw errors.anonymousDisabled()
  if (!options.signupEnabled) throw errors.signupDisabled()
  const session = await database.transaction(async (tx) => {
    const id = newUuid(deps)
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
  if (!deps.options.signupEnabled) throw errors.signupDisabled()
  const account = toAccount(deps, body)
  return deps.passwords.admit(() => makeAccount(deps, visit, { account, body }))
}

type Asked = { readonly account: Account; readonly body: SignUp }

async function makeAccount(deps: AuthDeps, visit: Visit, { account, body }: Asked): Promise<Answer> {
  const { database, passwords } = deps
  // Before the look into the table, so that known and unknown addresses take as long.
  const passwordHash = await passwords.hash(body.password!)
  return database.transaction(async (tx) => {
    const user = await insertAccount(deps, tx, { ...account, passwordHash, data: body.data ?? {} })
    const known = user ?? (await findUser(tx, account.key, { lock: true }))
    if (known === undefined) throw errors.userAlreadyExists()
    if (user === undefined) return repeated(deps, tx, { known, account, visit, body })
    return confirmOrSignIn(deps, tx, { user, account, visit })
  })
}

type Account = {
  readonly provider: 'email' | 'phone'
  readonly key: { readonly email: string } | { readonly phone: string }
  readonly confirms: boolean
}

function toAccount({ options }: AuthDeps, body: SignUp): Account {
  const { email, phone, password } = body
  if (!password) throw errors.invalid('Signup requires a valid password')
  mustBeStrong(password, options)
  if (email && phone) {
    throw errors.invalid('Only an email address or phone number should be provided on signup.')
  }
  if (email) {
    if (!options.emailSignupEnabled) throw errors.emailSignupDisabled()
    return { provider: 'email', key: { email: canonicalEmail(email) }, confirms: options.emailConfirmations }
  }
  if (!options.phoneSignupEnabled) throw errors.phoneSignupDisabled()
  return { provider: 'phone', key: { phone: canonicalPhone(phone!) }, confirms: options.phoneConfirmations }
}

type NewAccount = Account & { readonly passwordHash: string; readonly data: Metadata }

async function insertAccount(deps: AuthDeps, tx: Queries, account: NewAccount): Promise<UserRow | undefined> {
  const { provider, key, passwordHash, data } = account
  const id = newUuid(deps)
  const facts = { sub: id, ...key, email_verified: false, phone_verified: false }
  const user = await insertUser(tx, {
    id,
    role: 'authenticated',
    ...key,
    passwordHash,
    appMetadata: { provider, providers: [provider] },
    userMetadata: { ...data, ...facts },
  })
  if (user === undefined) return undefined
  await insertIdentity(tx, { userId: id, provider, providerId: id, data: { ...data, ...facts } })
  return user
}

type Arrival = { readonly user: UserRow; readonly account: Account; readonly visit: Visit }

async function confirmOrSignIn(deps: AuthDeps, tx: Queries, { user, account, visit }: Arrival): Promise<Answer> {
  const { provider, confirms } = account
  const { address } = visit
  if (confirms) {
    await insertAuditEvent(tx, { action: 'user_confirmation_requested', actor: user, address, traits: { provider } })
    return { status: 200, body: toUserJson((await findUser(tx, { id: user.id }))!) }
  }
  await insertAuditEvent(tx, { action: 'user_signedup', actor: user, address, traits: { provider } })
  const confirmed = await updateUser(tx, user.id, {
    ...(provider === 'email' ? { emailConfirmed: true } : { phoneConfirmed: true }),
    userMetadata: { [`${provider}_verified`]: true },
  })
  return { status: 200, body: await startSession(deps, tx, { user: confirmed!, method: 'password', visit }) }
}

type Repetition = { readonly known: UserRow; readonly account: Account; readonly visit: Visit; readonly body: SignUp }

/**
 * The address has an account. Where confirmations are on, the answer is that of a new account, so that nobody learns who has
 * one; an account that waits for its confirmation gets another message, and keeps its first password.
 */
async function repeated(deps: AuthDeps, tx: Queries, { known, account, visit, body }: Repetition): Promise<Answer> {
  const { provider, key, confirms } = account
  await insertAuditEvent(tx, {
    action: 'user_repeated_signup',
    actor: known,
    address: visit.address,
    traits: { provider },
  })
  if (!confirms) throw errors.userAlreadyExists()
  const now = new Date(deps.clock.now())
  const pretended = {
    id: newUuid(deps),
    aud: 'authenticated',
    role: '',
    email: '',
    phone: '',
    ...key,
    confirmation_sent_at: now,
    app_metadata: { provider, providers: [provider] },
    user_metadata: body.data ?? {},
    identities: [],
    created_at: now,
    updated_at: now,
    is_anonymous: false,
  }
  return { status: 200, body: pretended }
}
