import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { mayBeCreated } from '../hooks/before-user-created.ts'
import { atMostOften, atTick } from '../one-time/send-limits.ts'
import type { UserRow } from '../store/users.ts'
import { newUuid } from '../uuid.ts'
import { enter, type Entering, type Entrance, foresee, type Guest } from './enter.ts'

/** What is made of somebody who came in, in the transaction that let them in. */
type Then<Result> = (tx: Queries, user: UserRow) => Promise<Result>

/**
 * Lets a guest in, or sends the mail that must be answered first and refuses; one address gets such a mail at most so
 * often.
 *
 * @throws provider_email_needs_verification, signup_disabled, user_banned, over_email_send_rate_limit, …
 */
export async function welcome<Result>(deps: AuthDeps, guest: Guest, then: Then<Result>): Promise<Result> {
  const admission = await foresee(deps, guest)
  const newUserId = newUuid(deps)
  const { email, facts } = guest.profile
  if (admission.startsWith('create')) {
    const providers = [guest.provider.name]
    await mayBeCreated(deps, guest.visit, { id: newUserId, email, providers, userMetadata: facts })
  }
  const run = () => runEntrance(deps, { ...guest, newUserId }, then)
  const { emailConfirmations } = deps.options
  const asksOwner = admission.endsWith('confirm') || (admission === 'refuse-unverified' && emailConfirmations)
  const done = asksOwner && email !== undefined ? await writeAtMostOften(deps, email, run) : await run()
  if ('refusal' in done) throw done.refusal
  return done.result
}

/** Whether the address has an account shows neither in the time of the refusal nor in how often it may be had. */
function writeAtMostOften<Result>(deps: AuthDeps, address: string, run: () => Promise<Result>): Promise<Result> {
  return atTick(deps, () => atMostOften(deps, { kind: 'signup', address, channel: 'email' }, run))
}

type Done<Result> = { readonly result: Result } | Extract<Entrance, { refusal: unknown }>

async function runEntrance<Result>(deps: AuthDeps, guest: Entering, then: Then<Result>): Promise<Done<Result>> {
  const done = await deps.database.transaction(async (tx): Promise<Done<Result>> => {
    const entrance = await enter(deps, tx, guest)
    return 'refusal' in entrance ? entrance : { result: await then(tx, entrance.user) }
  })
  if ('refusal' in done && done.mail !== undefined) await deps.sendMail(done.mail)
  return done
}
