import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { deleteIdentity } from '../store/identities.ts'
import { noteProviders } from '../store/ownership.ts'
import { replaceAddress } from '../store/replace-address.ts'
import { findUser, type IdentityJson, type UserRow } from '../store/users.ts'
import { isUuid } from '../uuid.ts'
import type { SignedInVisit } from '../visit.ts'

/** `DELETE /user/identities/:identity_id`: one way in less, never the last one. Sessions stay. */
export async function unlinkIdentity(deps: AuthDeps, visit: SignedInVisit): Promise<Answer> {
  if (!deps.options.manualLinkingEnabled) throw errors.manualLinkingDisabled()
  const id = visit.params['identity_id']
  if (!isUuid(id)) throw errors.identityIdInvalid()
  const { user, identity } = await deps.database.transaction((tx) => unlink(deps, tx, { visit, id }))
  if (user.email !== null) {
    const acceptLanguage = visit.headers['accept-language']
    const { provider } = identity
    await deps.sendNotice({ kind: 'identity_unlinked', to: user.email, user, provider, acceptLanguage })
  }
  return { status: 200, body: {} }
}

type Unlinking = { readonly visit: SignedInVisit; readonly id: string }
type Unlinked = { readonly user: UserRow; readonly identity: IdentityJson }

async function unlink({ options }: AuthDeps, tx: Queries, { visit, id }: Unlinking): Promise<Unlinked> {
  // Locked, so that of two at once the second sees that it would be the last.
  const user = await findUser(tx, { id: visit.user.id }, { lock: true })
  if (user === undefined) throw errors.userOfTokenNotFound()
  if (user.identities.length <= 1) throw errors.identityIsLast()
  const identity = user.identities.find(({ identity_id }) => identity_id === id.toLowerCase())
  if (identity === undefined) throw errors.identityNotFound()
  await deleteIdentity(tx, identity.identity_id)
  const rest = user.identities.filter((each) => each !== identity)
  const address = await nextAddress(tx, { user, identity, rest })
  await replaceAddress(tx, user.id, {
    phoneGoes: identity.provider === 'phone',
    // A password goes with an address or number; without either nobody could use it, until it comes back unnoticed.
    passwordGoes: !rest.some(({ provider }) => provider === 'email' || provider === 'phone'),
    ...(address !== undefined && {
      email: address?.email ?? null,
      emailConfirmed: address !== null && (address.verified || !options.emailConfirmations),
    }),
  })
  await noteProviders(tx, user.id)
  await insertAuditEvent(tx, {
    action: 'identity_unlinked',
    actor: user,
    address: visit.address,
    traits: { identity_id: identity.identity_id, provider: identity.provider, provider_id: identity.id },
  })
  return { user, identity }
}

type Rest = { readonly user: UserRow; readonly identity: IdentityJson; readonly rest: readonly IdentityJson[] }
type NextAddress = { readonly email: string; readonly verified: boolean }

/** The address that the account has from now on: undefined is the same, null is none. A verified one comes first. */
async function nextAddress(tx: Queries, { user, identity, rest }: Rest): Promise<NextAddress | null | undefined> {
  if (identity.provider === 'phone' || user.email === null) return undefined
  if (rest.some(({ email }) => email === user.email)) return undefined
  const told = rest
    .flatMap(({ email, identity_data: data }) => (email ? [{ email, verified: data['email_verified'] === true }] : []))
    .toSorted((a, b) => Number(b.verified) - Number(a.verified))
  for (const each of told) if ((await findUser(tx, { email: each.email })) === undefined) return each
  if (told.length > 0) throw errors.identityEmailConflict()
  return null
}
