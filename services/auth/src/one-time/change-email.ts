import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Mail } from '../messages.ts'
import { markVerified } from '../ownership.ts'
import { toCodeChallenge } from '../pkce.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { insertIdentity, updateIdentity } from '../store/identities.ts'
import { beginEmailChange, emailChangeStatus, endEmailChange, markEmailChange } from '../store/address-changes.ts'
import { deleteOneTimeTokens, type OneTimeToken } from '../store/one-time-tokens.ts'
import { noteProviders } from '../store/ownership.ts'
import { findUser, updateUser, type UserRow } from '../store/users.ts'
import type { Visit } from '../visit.ts'
import type { Wishes } from './confirmation.ts'
import { orTaken } from './or-taken.ts'
import { openFlow, writeMail } from './write-mail.ts'

export type EmailChange = {
  readonly user: UserRow
  readonly email: string
  readonly visit: Visit
  readonly body: Wishes
}

/** Asks the new address to confirm, and the old one too where both have to. An older change is forgotten. */
export async function writeEmailChange(deps: AuthDeps, tx: Queries, change: EmailChange): Promise<readonly Mail[]> {
  const { user, email, visit, body } = change
  await beginEmailChange(tx, user.id, email)
  const purpose = 'email_change'
  const flowId = await openFlow(deps, tx, { userId: user.id, purpose, challenge: toCodeChallenge(body) })
  const letter = { user, purpose, visit, flowId, newEmail: email } as const
  const next = await writeMail(deps, tx, { ...letter, to: email })
  if (!asksBoth(deps, user)) return [next]
  const kind = 'email_change_token_current'
  const current = await writeMail(deps, tx, { ...letter, to: user.email!, kind })
  return [{ ...next, ofOldAddress: { code: current.code, tokenHash: current.tokenHash } }, current]
}

const asksBoth = ({ options }: AuthDeps, { email }: UserRow): boolean => options.emailDoubleConfirm && email !== null

/** @throws email_exists */
export async function mustBeFreeEmail(tx: Queries, user: UserRow, email: string): Promise<void> {
  const other = await findUser(tx, { email })
  if (other !== undefined && other.id !== user.id) throw errors.emailExists()
}

/** One side has agreed; undefined while the other has not. */
export async function agreeToEmailChange(
  deps: AuthDeps,
  tx: Queries,
  { user, token, visit }: { user: UserRow; token: OneTimeToken; visit: Visit },
): Promise<UserRow | undefined> {
  const isNext = token.token_type === 'email_change_token_new'
  const { current, next } = emailChangeStatus
  const isLast = isNext
    ? !asksBoth(deps, user) || user.email_change_confirm_status === current
    : user.email_change_confirm_status === next
  if (!isLast) {
    await markEmailChange(tx, user.id, isNext ? next : current)
    return undefined
  }
  const email = user.email_change!
  await mustBeFreeEmail(tx, user, email)
  await insertAuditEvent(tx, { action: 'user_modified', actor: user, address: visit.address })
  // What was sent to the old address is void.
  await deleteOneTimeTokens(tx, user.id, { except: 'phone_change' })
  await endEmailChange(tx, user.id)
  await markVerified(tx, user.id, 'email', email)
  const userMetadata = { email, email_verified: true }
  const changes = { email, emailConfirmed: true, isAnonymous: false, userMetadata } as const
  return orTaken(updateUser(tx, user.id, changes), errors.emailExists)
}

/**
 * Gives somebody anonymous an address without asking it, where confirmations are off. Nobody has proved it, and the
 * first who does owns the account.
 */
export async function adoptEmail(tx: Queries, { user, email }: { user: UserRow; email: string }): Promise<void> {
  const data = { email, email_verified: false }
  await insertIdentity(tx, { userId: user.id, provider: 'email', providerId: user.id, data: { sub: user.id, ...data } })
  await updateIdentity(tx, { userId: user.id, provider: 'email', data })
  await noteProviders(tx, user.id)
  const changes = { email, emailConfirmed: true, isAnonymous: false } as const
  await orTaken(updateUser(tx, user.id, changes), errors.emailExists)
}
