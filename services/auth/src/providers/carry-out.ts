import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { writeMail } from '../one-time/write-mail.ts'
import { disputeAccount } from '../ownership.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { deleteIdentity, insertIdentity, refreshIdentity } from '../store/identities.ts'
import { disown, noteProviders } from '../store/ownership.ts'
import { findUser, insertUser, updateUser, type UserRow } from '../store/users.ts'
import type { Admission } from './admission.ts'
import type { Entering, Entrance, Guest, Known } from './enter.ts'

type Task = Entering & Known & { readonly admission: Admission }

/** Does what was decided; undefined when somebody else just took the address of a new account. */
export async function carryOut(deps: AuthDeps, tx: Queries, task: Task): Promise<Entrance | undefined> {
  const { admission, owner, holder, provider } = task
  switch (admission) {
    case 'return':
      return { user: await comeBack(tx, task, owner!) }
    case 'own':
      return { user: await takeOver(tx, task, owner!) }
    case 'take-over':
      return { user: await takeOver(tx, task, holder!) }
    case 'link':
      return { user: await link(tx, task, holder!) }
    case 'confirm':
      return askToConfirm(deps, tx, task, owner!)
    case 'create':
    case 'create-bare':
    case 'create-unproven': {
      const user = await create(tx, task)
      return user && { user }
    }
    case 'create-and-confirm': {
      const user = await create(tx, task)
      return user && askToConfirm(deps, tx, task, user)
    }
    case 'refuse-unverified':
      await disputeAccount(tx, holder!)
      return { refusal: errors.providerEmailUnverified(provider.name) }
    case 'refuse-without-email':
      throw errors.providerEmailMissing()
    case 'refuse-new':
      throw errors.signupDisabled()
  }
}

async function comeBack(tx: Queries, { provider, profile }: Guest, owner: UserRow): Promise<UserRow> {
  await refreshIdentity(tx, { provider: provider.name, providerId: profile.subject, data: profile.facts })
  return (await updateUser(tx, owner.id, { userMetadata: profile.facts }))!
}

async function link(tx: Queries, guest: Guest, holder: UserRow): Promise<UserRow> {
  const { provider, profile, visit } = guest
  await insertIdentity(tx, toIdentity(guest, holder.id))
  await noteProviders(tx, holder.id)
  await insertAuditEvent(tx, {
    action: 'identity_linked',
    actor: holder,
    address: visit.address,
    traits: { provider: provider.name, provider_id: profile.subject },
  })
  return (await updateUser(tx, holder.id, { userMetadata: profile.facts }))!
}

/** The first proof of an address: earlier credentials, identities and sessions could be anybody's. */
async function takeOver(tx: Queries, guest: Guest, user: UserRow): Promise<UserRow> {
  const { provider, profile, visit } = guest
  await disown(tx, user.id, { address: 'email' })
  for (const { identity_id: id, provider: name } of user.identities) if (name === 'email') await deleteIdentity(tx, id)
  await insertIdentity(tx, toIdentity(guest, user.id))
  await noteProviders(tx, user.id)
  await insertAuditEvent(tx, {
    action: 'user_signedup',
    actor: user,
    address: visit.address,
    traits: { provider: provider.name },
  })
  const forgotten = Object.fromEntries(Object.keys(user.raw_user_meta_data ?? {}).map((name) => [name, null]))
  const userMetadata = { ...forgotten, ...profile.facts }
  return (await updateUser(tx, user.id, { emailConfirmed: true, isAnonymous: false, userMetadata }))!
}

/** Undefined when somebody else just took the address. */
async function create(tx: Queries, task: Task): Promise<UserRow | undefined> {
  const { admission, provider, profile, visit, newUserId: id } = task
  const email = admission === 'create-bare' ? undefined : profile.email
  const appMetadata = { provider: provider.name, providers: [provider.name] }
  const user = await insertUser(tx, { id, role: 'authenticated', email, appMetadata, userMetadata: profile.facts })
  if (user === undefined) return undefined
  await insertIdentity(tx, toIdentity(task, id))
  if (admission === 'create-and-confirm') return (await findUser(tx, { id }))!
  await insertAuditEvent(tx, {
    action: 'user_signedup',
    actor: user,
    address: visit.address,
    traits: { provider: provider.name },
  })
  return (await updateUser(tx, id, email === undefined ? {} : { emailConfirmed: true }))!
}

async function askToConfirm(deps: AuthDeps, tx: Queries, guest: Guest, user: UserRow): Promise<Entrance> {
  const { provider, visit } = guest
  const mail = await writeMail(deps, tx, {
    user,
    purpose: 'signup',
    to: user.email!,
    visit,
  })
  await insertAuditEvent(tx, {
    action: 'user_confirmation_requested',
    actor: user,
    address: visit.address,
    traits: { provider: provider.name },
  })
  return { refusal: errors.providerEmailUnverified(provider.name), mail }
}

const toIdentity = ({ provider, profile }: Guest, userId: string) => ({
  userId,
  provider: provider.name,
  providerId: profile.subject,
  data: profile.facts,
})
