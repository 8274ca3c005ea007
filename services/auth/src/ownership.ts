import type { Queries } from '@pando/postgres/database'
import { insertIdentity, updateIdentity } from './store/identities.ts'
import { disown, noteProviders } from './store/ownership.ts'
import { findUser, updateUser, type UserRow } from './store/users.ts'

export type AddressKind = 'email' | 'phone'

const confirmedAt = (user: UserRow, kind: AddressKind): Date | null =>
  kind === 'email' ? user.email_confirmed_at : user.phone_confirmed_at

/**
 * Whether the person behind the account has once shown that the address is theirs. `…_confirmed_at` alone does not say
 * so: where confirmations are off it is set at sign-up, and then the identity says that nobody has. Accounts that come
 * from elsewhere may have no such mark, or an outdated one though they were sent something before they were confirmed.
 */
export function isProven(user: UserRow, kind: AddressKind): boolean {
  const at = confirmedAt(user, kind)
  if (at === null || user[kind] === null) return false
  if (user.confirmation_sent_at !== null && user.confirmation_sent_at <= at) return true
  const marks = user.identities
    .filter(({ identity_data: data }) => data[kind] === user[kind])
    .map(({ identity_data: data }) => data[`${kind}_verified`])
  return marks.includes(true) || !marks.includes(false)
}

/**
 * Somebody asks for an account by another way than the one that set it up, and nobody has confirmed it yet. Both say
 * that the address is theirs, so no credential stays: the account is for whoever proves the address. Lock the user
 * before.
 */
export async function disputeAccount(tx: Queries, user: UserRow): Promise<UserRow> {
  if (user.email_confirmed_at !== null || user.phone_confirmed_at !== null) return user
  await disown(tx, user.id, { address: user.email === null ? 'phone' : 'email' })
  return (await findUser(tx, { id: user.id }))!
}

/**
 * Somebody has shown that the address of an account is theirs. Was the account in use before anybody had, then nobody
 * knows by whom: everything that lets anybody in goes. An account that waited for this keeps its one credential, as
 * nobody has disputed it.
 */
export async function ownAddress(
  tx: Queries,
  user: UserRow,
  { kind, flowId }: { readonly kind: AddressKind; readonly flowId?: string },
): Promise<UserRow> {
  if (!isProven(user, kind)) {
    if (confirmedAt(user, kind) !== null) await disown(tx, user.id, { address: kind, flowId })
    await markVerified(tx, user.id, kind, user[kind]!)
  }
  const changed = await updateUser(tx, user.id, {
    ...(kind === 'email' ? { emailConfirmed: true } : { phoneConfirmed: true }),
    userMetadata: { [`${kind}_verified`]: true },
    isAnonymous: false,
  })
  return changed!
}

/** Notes at the identity of an address that it is proven; there is one from now on. */
export async function markVerified(tx: Queries, id: string, kind: AddressKind, address: string): Promise<void> {
  const data = { [kind]: address, [`${kind}_verified`]: true }
  await insertIdentity(tx, { userId: id, provider: kind, providerId: id, data: { sub: id, ...data } })
  await updateIdentity(tx, { userId: id, provider: kind, data })
  await noteProviders(tx, id)
}
