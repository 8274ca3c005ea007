import type { BodyOf, Types } from '@pando/http/shape'
import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { canonicalEmail } from '../email.ts'
import { errors } from '../errors.ts'
import { mayBeNew } from '../hooks/before-user-created.ts'
import { insertAccount } from '../new-account.ts'
import { mustBeStrong } from '../passwords/must-be-strong.ts'
import { passwordBytesMax } from '../passwords/password-rules.ts'
import { toRedirect } from '../redirect.ts'
import type { Answer } from '../route.ts'
import { beginEmailChange } from '../store/address-changes.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { findUser, updateUser, type UserRow } from '../store/users.ts'
import { toUserJson } from '../user.ts'
import { newUuid } from '../uuid.ts'
import type { Visit } from '../visit.ts'
import { inviteUser } from './invite.ts'
import { type Issued, issueToken } from './issue-token.ts'
import { toMailLimits } from './purposes.ts'
import { type LinkPurpose, redirectOf, toActionUrl } from './write-mail.ts'

export const generateLinkBody = (Type: Types) =>
  Type.Object({
    type: Type.Optional(Type.String()),
    email: Type.Optional(Type.String({ maxLength: 1000 })),
    new_email: Type.Optional(Type.String({ maxLength: 1000 })),
    password: Type.Optional(Type.String({ maxLength: passwordBytesMax * 2 })),
    data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    redirect_to: Type.Optional(Type.String({ maxLength: 2000 })),
  })
type GenerateLink = BodyOf<typeof generateLinkBody>

type Wanted = {
  readonly email: string
  readonly visit: Visit
  readonly body: GenerateLink
  readonly passwordHash: string | undefined
  readonly newUserId: string
}
type Linked = { readonly user: UserRow; readonly purpose: LinkPurpose; readonly issued: Issued; readonly type: string }

/** `POST /admin/generate_link`: what a mail would hold, for an admin who delivers it. Nothing is sent. */
export async function generateLink(deps: AuthDeps, visit: Visit, body: GenerateLink): Promise<Answer> {
  const { database, passwords, options } = deps
  const email = canonicalEmail(body.email ?? '')
  if (body.type === 'signup') await mustHavePassword(deps, body)
  const passwordHash = body.type === 'signup' ? await passwords.hash(body.password!) : undefined
  const makesAccount = body.type === 'signup' || body.type === 'invite' || body.type === 'magiclink'
  const newUserId = makesAccount ? await mayBeNew(deps, visit, { key: { email }, data: body.data }) : newUuid(deps)
  const linked = await database.transaction(async (tx) => {
    const made = await link(deps, tx, { email, visit, body, passwordHash, newUserId })
    return { ...made, user: (await findUser(tx, { id: made.user.id }))! }
  })
  const redirectTo = body.redirect_to ? toRedirect(body.redirect_to, options) : redirectOf(deps, visit)
  const { user, purpose, issued, type } = linked
  return {
    status: 200,
    body: {
      ...toUserJson(user),
      action_link: toActionUrl(deps, { tokenHash: issued.tokenHash, purpose, redirectTo }),
      email_otp: issued.code,
      hashed_token: issued.tokenHash,
      verification_type: type,
      redirect_to: redirectTo,
    },
  }
}

async function mustHavePassword(deps: AuthDeps, { password }: GenerateLink): Promise<void> {
  if (!password) throw errors.invalid('Signup requires a valid password')
  await mustBeStrong(deps, password)
}

function link(deps: AuthDeps, tx: Queries, wanted: Wanted): Promise<Linked> {
  switch (wanted.body.type) {
    case 'signup':
      return linkSignup(deps, tx, wanted)
    case 'invite':
      return linkInvite(deps, tx, wanted)
    case 'magiclink':
    case 'recovery':
      return linkSignIn(deps, tx, wanted, wanted.body.type)
    case 'email_change_current':
    case 'email_change_new':
      return linkEmailChange(deps, tx, wanted, wanted.body.type)
    default:
      throw errors.invalid(`Invalid email action link type requested: ${wanted.body.type ?? ''}`)
  }
}

function issue(deps: AuthDeps, tx: Queries, user: UserRow, purpose: LinkPurpose): Promise<Issued> {
  return issueToken(deps, tx, { userId: user.id, purpose, address: user.email!, ...toMailLimits(deps.options) })
}

async function linkSignup(deps: AuthDeps, tx: Queries, wanted: Wanted): Promise<Linked> {
  const { email, body, passwordHash, newUserId: id } = wanted
  const known = await findUser(tx, { email }, { lock: true })
  if (known !== undefined && known.email_confirmed_at !== null) throw errors.emailExists()
  const account = { id, key: { email }, passwordHash, data: body.data, tellsFacts: false }
  const user =
    known === undefined
      ? await insertAccount(deps, tx, account)
      : await updateUser(tx, known.id, { userMetadata: body.data ?? {} })
  if (user === undefined) throw errors.emailExists()
  return { user, purpose: 'signup', issued: await issue(deps, tx, user, 'signup'), type: 'signup' }
}

async function linkInvite(deps: AuthDeps, tx: Queries, { email, body, visit, newUserId }: Wanted): Promise<Linked> {
  const user = await inviteUser(deps, tx, { newUserId, email, data: body.data, visit })
  return { user, purpose: 'invite', issued: await issue(deps, tx, user, 'invite'), type: 'invite' }
}

async function linkSignIn(
  deps: AuthDeps,
  tx: Queries,
  { email, body, visit, newUserId: id }: Wanted,
  type: 'magiclink' | 'recovery',
): Promise<Linked> {
  const known = await findUser(tx, { email }, { lock: true })
  if (known === undefined && type === 'recovery') throw errors.userOfEmailNotFound()
  if (known === undefined) {
    const user = await insertAccount(deps, tx, { id, key: { email }, data: body.data, tellsFacts: false })
    if (user === undefined) throw errors.emailExists()
    return { user, purpose: 'signup', issued: await issue(deps, tx, user, 'signup'), type: 'signup' }
  }
  const actor = { role: visit.caller.role }
  const traits = { user_id: known.id, user_email: email }
  await insertAuditEvent(tx, { action: 'user_recovery_requested', actor, address: visit.address, traits })
  return { user: known, purpose: type, issued: await issue(deps, tx, known, type), type }
}

async function linkEmailChange(
  deps: AuthDeps,
  tx: Queries,
  { email, body }: Wanted,
  type: 'email_change_current' | 'email_change_new',
): Promise<Linked> {
  const user = await findUser(tx, { email }, { lock: true })
  if (user === undefined) throw errors.userOfEmailNotFound()
  const isCurrent = type === 'email_change_current'
  if (isCurrent && !deps.options.emailDoubleConfirm)
    throw errors.invalid('Enable secure email change to generate link for current email')
  const newEmail = canonicalEmail(body.new_email ?? '')
  if ((await findUser(tx, { email: newEmail })) !== undefined) throw errors.emailExists()
  // The links for both sides are made one after the other; another address begins anew.
  if (user.email_change !== newEmail) await beginEmailChange(tx, user.id, newEmail)
  const issued = await issueToken(deps, tx, {
    userId: user.id,
    purpose: 'email_change',
    address: isCurrent ? email : newEmail,
    ...toMailLimits(deps.options),
    ...(isCurrent ? { kind: 'email_change_token_current' } : {}),
  })
  return { user, purpose: 'email_change', issued, type }
}
