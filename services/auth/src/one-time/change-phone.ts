import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { TextMessage } from '../messages.ts'
import { markVerified } from '../ownership.ts'
import { beginPhoneChange, endPhoneChange } from '../store/address-changes.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { insertIdentity, updateIdentity } from '../store/identities.ts'
import { deleteOneTimeTokens } from '../store/one-time-tokens.ts'
import { noteProviders } from '../store/ownership.ts'
import { findUser, updateUser, type UserRow } from '../store/users.ts'
import type { Visit } from '../visit.ts'
import { orTaken } from './or-taken.ts'
import { toChannel, writeText } from './send-text.ts'

export type PhoneChange = {
  readonly user: UserRow
  readonly phone: string
  readonly channel: string | undefined
  readonly visit: Visit
}

/** Asks the new number to confirm. An older change is forgotten. */
export async function writePhoneChange(
  deps: AuthDeps,
  tx: Queries,
  { user, phone, channel, visit }: PhoneChange,
): Promise<TextMessage | undefined> {
  await mustBeFree(tx, user, phone)
  await beginPhoneChange(tx, user.id, phone)
  return writeText(deps, tx, { user, purpose: 'phone_change', phone, channel: toChannel(channel), visit })
}

async function mustBeFree(tx: Queries, user: UserRow, phone: string): Promise<void> {
  const other = await findUser(tx, { phone })
  if (other !== undefined && other.id !== user.id) throw errors.phoneExists()
}

/** The new number has agreed. */
export async function agreeToPhoneChange(
  tx: Queries,
  { user, visit }: { user: UserRow; visit: Visit },
): Promise<UserRow | undefined> {
  const phone = user.phone_change!
  await mustBeFree(tx, user, phone)
  await insertAuditEvent(tx, { action: 'user_modified', actor: user, address: visit.address })
  // What was sent to the old number is void.
  await deleteOneTimeTokens(tx, user.id, { except: 'email_change' })
  await endPhoneChange(tx, user.id)
  await markVerified(tx, user.id, 'phone', phone)
  const userMetadata = { phone, phone_verified: true }
  const changes = { phone, phoneConfirmed: true, isAnonymous: false, userMetadata } as const
  return orTaken(updateUser(tx, user.id, changes), errors.phoneExists)
}

/** Gives somebody anonymous a number without asking it, where confirmations are off; see `adoptEmail`. */
export async function adoptPhone(tx: Queries, { user, phone }: { user: UserRow; phone: string }): Promise<void> {
  await mustBeFree(tx, user, phone)
  const data = { phone, phone_verified: false }
  await insertIdentity(tx, { userId: user.id, provider: 'phone', providerId: user.id, data: { sub: user.id, ...data } })
  await updateIdentity(tx, { userId: user.id, provider: 'phone', data })
  await noteProviders(tx, user.id)
  const changes = { phone, phoneConfirmed: true, isAnonymous: false } as const
  await orTaken(updateUser(tx, user.id, changes), errors.phoneExists)
}
