import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import type { SignedInVisit } from '../visit.ts'
import { adoptEmail, mustBeFreeEmail, writeEmailChange } from './change-email.ts'
import { adoptPhone, writePhoneChange } from './change-phone.ts'
import type { Messages, Wishes } from './confirmation.ts'
import { atMostOften, type Sending } from './send-limits.ts'

/** New addresses of somebody who is signed in, in canonical form; absent where nothing changes. */
export type NewAddresses = { readonly email?: string; readonly phone?: string }

export type AddressChange = {
  readonly visit: SignedInVisit
  readonly addresses: NewAddresses
  readonly body: Wishes
}

/**
 * Where confirmations are off, an anonymous person gets an address without proving it, as at a sign-up. Everybody else
 * proves a new one: a slip of the keyboard must not give the account away.
 */
const isAdopted = ({ options }: AuthDeps, { user }: SignedInVisit, kind: keyof NewAddresses): boolean =>
  user.is_anonymous && !(kind === 'email' ? options.emailConfirmations : options.phoneConfirmations)

/** Writes what the new addresses have to answer; send it when the transaction has committed. */
export async function changeAddresses(
  deps: AuthDeps,
  tx: Queries,
  change: AddressChange,
): Promise<readonly Messages[]> {
  const { visit, body } = change
  const { email, phone } = change.addresses
  const { user } = visit
  const messages: Messages[] = []
  if (email !== undefined) {
    await mustBeFreeEmail(tx, user, email)
    if (isAdopted(deps, visit, 'email')) await adoptEmail(tx, { user, email })
    else messages.push(...(await writeEmailChange(deps, tx, { user, email, visit, body })).map((mail) => ({ mail })))
  }
  if (phone !== undefined) {
    if (isAdopted(deps, visit, 'phone')) await adoptPhone(tx, { user, phone })
    else messages.push({ text: await writePhoneChange(deps, tx, { user, phone, channel: body.channel, visit }) })
  }
  return messages
}

/** Does what leads to messages to new addresses, unless one of them got one too short ago. */
export function atMostOftenToEach<T>(
  deps: AuthDeps,
  { visit, addresses }: AddressChange,
  work: () => Promise<T>,
): Promise<T> {
  const { email, phone } = addresses
  const sendings: Sending[] = []
  if (email !== undefined && !isAdopted(deps, visit, 'email'))
    sendings.push({ kind: 'email_change', address: email, channel: 'email' })
  if (phone !== undefined && !isAdopted(deps, visit, 'phone'))
    sendings.push({ kind: 'phone_change', address: phone, channel: 'sms' })
  return sendings.reduce<() => Promise<T>>((next, sending) => () => atMostOften(deps, sending, next), work)()
}
