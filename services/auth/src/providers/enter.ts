import type { Refusal } from '@pando/core/refusal'
import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Mail } from '../messages.ts'
import { findOwner, lockIdentity } from '../store/identities.ts'
import { findUser, type UserRow } from '../store/users.ts'
import { isBanned } from '../user.ts'
import type { Visit } from '../visit.ts'
import { type Admission, decideAdmission } from './admission.ts'
import { carryOut } from './carry-out.ts'
import type { Profile } from './profile.ts'
import type { Provider } from './provider.ts'

export type Guest = {
  readonly provider: Provider
  readonly profile: Profile
  readonly visit: Visit
}

/** `newUserId` is for the account that may have to be made. */
export type Entering = Guest & { readonly newUserId: string }

/** Who came in; or why not, after what was written has been committed and the mail sent. */
export type Entrance = { readonly user: UserRow } | { readonly refusal: Refusal; readonly mail?: Mail }

export type Known = { readonly owner: UserRow | undefined; readonly holder: UserRow | undefined }

/** What would be done with somebody who comes now. */
export async function foresee(deps: AuthDeps, guest: Guest): Promise<Admission> {
  return admit(deps, guest, await findKnown(deps.database, guest))
}

/**
 * Lets somebody in whom a provider vouches for. Identity is the provider and its name for the person, never an address;
 * `decideAdmission` says what an address may do. Of many at once the first one makes the account.
 *
 * @throws when nothing was written: signup_disabled, user_banned, …
 */
export async function enter(deps: AuthDeps, tx: Queries, guest: Entering): Promise<Entrance> {
  const { provider, profile } = guest
  await lockIdentity(tx, { provider: provider.name, providerId: profile.subject })
  const known = await findKnown(tx, guest)
  const account = known.owner ?? known.holder
  if (account !== undefined && isBanned(account, deps.clock.now())) throw errors.userBannedNow()
  const entrance = await carryOut(deps, tx, { ...guest, ...known, admission: admit(deps, guest, known) })
  // The address was taken while we looked: now it has a holder.
  return entrance ?? enter(deps, tx, guest)
}

function admit({ options }: AuthDeps, { provider, profile }: Guest, known: Known): Admission {
  return decideAdmission({ profile, ...known, emailOptional: provider.emailOptional }, options)
}

async function findKnown(queries: Queries, { provider, profile }: Guest): Promise<Known> {
  const ownerId = await findOwner(queries, { provider: provider.name, providerId: profile.subject })
  if (ownerId !== undefined) {
    return { owner: await findUser(queries, { id: ownerId }, { lock: true }), holder: undefined }
  }
  const { email } = profile
  return {
    owner: undefined,
    holder: email === undefined ? undefined : await findUser(queries, { email }, { lock: true }),
  }
}
