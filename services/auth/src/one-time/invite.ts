import type { BodyOf, Types } from '@pando/http/shape'
import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { canonicalEmail } from '../email.ts'
import { errors } from '../errors.ts'
import { mayBeNew } from '../hooks/before-user-created.ts'
import { insertAccount } from '../new-account.ts'
import { disputeAccount } from '../ownership.ts'
import type { Answer } from '../route.ts'
import { markInvited } from '../store/address-changes.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { findUser, type Metadata, type UserRow } from '../store/users.ts'
import { toUserJson } from '../user.ts'
import type { Visit } from '../visit.ts'
import { writeMail } from './write-mail.ts'

export const inviteBody = (Type: Types) =>
  Type.Object({
    email: Type.Optional(Type.String({ maxLength: 1000 })),
    data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  })

/** `POST /invite`: an admin asks somebody in. */
export async function invite(deps: AuthDeps, visit: Visit, body: BodyOf<typeof inviteBody>): Promise<Answer> {
  const email = canonicalEmail(body.email ?? '')
  const newUserId = await mayBeNew(deps, visit, { key: { email }, data: body.data })
  const { mail, user } = await deps.database.transaction(async (tx) => {
    const invited = await inviteUser(deps, tx, { newUserId, email, data: body.data, visit })
    const letter = await writeMail(deps, tx, { user: invited, purpose: 'invite', to: email, visit })
    return { mail: letter, user: (await findUser(tx, { id: invited.id }))! }
  })
  await deps.sendMail(mail)
  return { status: 200, body: toUserJson(user) }
}

type Invitation = {
  readonly newUserId: string
  readonly email: string
  readonly data: Metadata | undefined
  readonly visit: Visit
}

/** The account that somebody is invited to; one that nobody has confirmed loses its credentials. */
export async function inviteUser(deps: AuthDeps, tx: Queries, invitation: Invitation): Promise<UserRow> {
  const { newUserId, email, data, visit } = invitation
  const known = await findUser(tx, { email }, { lock: true })
  if (known !== undefined && known.email_confirmed_at !== null) throw errors.emailExists()
  const user =
    known === undefined
      ? await insertAccount(deps, tx, { id: newUserId, key: { email }, data, tellsFacts: false })
      : await disputeAccount(tx, known)
  if (user === undefined) throw errors.emailExists()
  await markInvited(tx, user.id)
  await insertAuditEvent(tx, {
    action: 'user_invited',
    actor: visit.caller,
    address: visit.address,
    traits: { user_id: user.id, user_email: email },
  })
  return user
}
