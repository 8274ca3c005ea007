import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { findOwner, insertIdentity, lockIdentity } from '../store/identities.ts'
import { noteProviders } from '../store/ownership.ts'
import { findUser, updateUser, type UserChanges, type UserRow } from '../store/users.ts'
import { isBanned } from '../user.ts'
import type { Visit } from '../visit.ts'
import type { Profile } from './profile.ts'

/** An identity that the owner of an account wants to add. */
export type Addition = {
  readonly userId: string
  readonly provider: string
  readonly profile: Profile
  readonly visit: Visit
}

/**
 * Adds an identity to an account. An anonymous one is permanent from now on.
 *
 * @throws identity_already_exists, email_exists, user_banned
 */
export async function linkIdentity(deps: AuthDeps, tx: Queries, addition: Addition): Promise<UserRow> {
  const { userId, provider, profile, visit } = addition
  const key = { provider, providerId: profile.subject }
  await lockIdentity(tx, key)
  const user = await findUser(tx, { id: userId }, { lock: true })
  if (user === undefined) throw errors.userNotFound()
  if (isBanned(user, deps.clock.now())) throw errors.userBannedNow()
  const ownerId = await findOwner(tx, key)
  if (ownerId !== undefined) throw errors.identityExists(ownerId === userId)
  await insertIdentity(tx, { userId, ...key, data: profile.facts })
  await insertAuditEvent(tx, {
    action: 'identity_linked',
    actor: user,
    address: visit.address,
    traits: { provider, provider_id: key.providerId },
  })
  await noteProviders(tx, userId)
  return (await updateUser(tx, userId, await toChanges(deps, tx, { user, profile })))!
}

/** An account without an address gets the one that the provider told, where it counts and is free. */
async function toChanges(
  { options }: AuthDeps,
  tx: Queries,
  { user, profile }: { user: UserRow; profile: Profile },
): Promise<UserChanges> {
  const { email, emailVerified } = profile
  const counts = emailVerified || !options.emailConfirmations
  if (user.email !== null || email === undefined || !counts) return { isAnonymous: false }
  const isTaken = (await findUser(tx, { email })) !== undefined
  if (isTaken && emailVerified) throw errors.emailOfAnother()
  return isTaken ? { isAnonymous: false } : { isAnonymous: false, email, emailConfirmed: true }
}

/** Tells the owner, in case it was not them. */
export async function tellLinked(
  deps: AuthDeps,
  user: UserRow,
  { provider, visit }: Omit<Addition, 'profile' | 'userId'>,
) {
  if (user.email === null) return
  const acceptLanguage = visit.headers['accept-language']
  await deps.sendNotice({ kind: 'identity_linked', to: user.email, user, provider, acceptLanguage })
}
