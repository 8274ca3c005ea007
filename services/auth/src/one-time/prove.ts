import type { Queries } from '@pando/postgres/database'
import { hashCode } from '../code-hash.ts'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { ownAddress } from '../ownership.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import {
  lockOwners,
  type OneTimeToken,
  takeTokenOfCode,
  takeTokenOfLink,
  takeTokenOfNumber,
} from '../store/one-time-tokens.ts'
import { findUser, type UserRow } from '../store/users.ts'
import { isBanned } from '../user.ts'
import type { Visit } from '../visit.ts'
import { agreeToEmailChange } from './change-email.ts'
import { agreeToPhoneChange } from './change-phone.ts'
import { codeTriesMax, type Purpose } from './purposes.ts'
import { hashLongSecret } from './secrets.ts'

/** What somebody brings from a message. `checked`: the provider of text messages says that the code is right. */
export type Evidence =
  | { readonly tokenHash: string }
  | { readonly address: string; readonly code: string }
  | { readonly address: string; readonly checked: true }

/** Whose evidence it was; `isHalf` while the other side of a change of address has not agreed. */
export type Proven = { readonly user: UserRow; readonly token: OneTimeToken; readonly isHalf: boolean }

export type Claim = { readonly evidence: Evidence; readonly purposes: readonly Purpose[]; readonly visit: Visit }

/**
 * Takes the token that the evidence belongs to and does what it is for, then `finish`, in one transaction: of many at
 * once one succeeds, and who fails later has used up nothing. Undefined when there is no such token (any more).
 */
export async function prove<T>(
  deps: AuthDeps,
  claim: Claim,
  finish: (tx: Queries, proven: Proven) => Promise<T>,
): Promise<T | undefined> {
  const changes: Change[] = []
  const finished = await deps.database.transaction(async (tx) => {
    const token = await take(deps, tx, claim)
    if (token === undefined) return undefined
    const user = await findUser(tx, { id: token.user_id }, { lock: true })
    if (user === undefined || !isStillTheirs(token, user)) return undefined
    if (isBanned(user, deps.clock.now())) throw errors.userBannedNow()
    const owner = await apply(deps, tx, { user, token, visit: claim.visit })
    if (owner !== undefined) changes.push({ before: user, after: owner, visit: claim.visit })
    return finish(tx, { user: owner ?? user, token, isHalf: owner === undefined })
  })
  changes.forEach((change) => tellOfChange(deps, change))
  return finished
}

type Change = { readonly before: UserRow; readonly after: UserRow; readonly visit: Visit }

/** The old address hears of the new one. */
function tellOfChange({ sendNotice }: AuthDeps, { before, after, visit }: Change): void {
  const acceptLanguage = visit.headers['accept-language']
  if (before.email !== null && after.email !== null && before.email !== after.email)
    sendNotice({ kind: 'email_changed', to: before.email, user: after, oldEmail: before.email, acceptLanguage })
  if (before.phone !== null && after.phone !== null && before.phone !== after.phone && after.email !== null)
    sendNotice({ kind: 'phone_changed', to: after.email, user: after, oldPhone: before.phone, acceptLanguage })
}

async function take(deps: AuthDeps, tx: Queries, { evidence, purposes }: Claim): Promise<OneTimeToken | undefined> {
  if ('tokenHash' in evidence) {
    const tokenHash = hashLongSecret(evidence.tokenHash)
    await lockOwners(tx, { tokenHash })
    return takeTokenOfLink(tx, { tokenHash, purposes })
  }
  const { address } = evidence
  await lockOwners(tx, { address })
  const owner = { address }
  if ('checked' in evidence) return takeTokenOfNumber(tx, { owner, purposes })
  const codeHash = hashCode(deps.pepper, address, evidence.code)
  return takeTokenOfCode(tx, { owner, purposes, codeHash, triesMax: codeTriesMax })
}

/** The address may have changed since the message was sent. */
function isStillTheirs({ token_type, purpose, relates_to }: OneTimeToken, user: UserRow): boolean {
  if (token_type === 'email_change_token_new') return user.email_change === relates_to
  if (token_type === 'phone_change_token') return user.phone_change === relates_to
  return (purpose === 'sms' ? user.phone : user.email) === relates_to
}

type Deed = { readonly user: UserRow; readonly token: OneTimeToken; readonly visit: Visit }

/** Undefined while the other side of a change of address has not agreed. */
async function apply(deps: AuthDeps, tx: Queries, deed: Deed): Promise<UserRow | undefined> {
  const { user, token, visit } = deed
  if (token.purpose === 'email_change') return agreeToEmailChange(deps, tx, deed)
  if (token.purpose === 'phone_change') return agreeToPhoneChange(tx, deed)
  const kind = token.purpose === 'sms' ? 'phone' : 'email'
  const isNew = (kind === 'email' ? user.email_confirmed_at : user.phone_confirmed_at) === null
  if (isNew) {
    const action = token.purpose === 'invite' ? 'invite_accepted' : 'user_signedup'
    await insertAuditEvent(tx, { action, actor: user, address: visit.address, traits: { provider: kind } })
  }
  return ownAddress(tx, user, { kind, flowId: token.flow_state_id ?? undefined })
}
