import type { AuthDeps } from '../deps.ts'
import { insertAccount } from '../new-account.ts'
import { disputeAccount } from '../ownership.ts'
import { toCodeChallenge } from '../pkce.ts'
import type { Answer } from '../route.ts'
import type { Account, SignUp } from '../sign-up.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { findUser, type UserRow } from '../store/users.ts'
import { toUserJson } from '../user.ts'
import type { Visit } from '../visit.ts'
import { toPretendedUser } from './pretended-user.ts'
import { atMostOften, atTick, type Sending } from './send-limits.ts'
import { toChannel } from './send-text.ts'
import { type Messages, sendUnheard, writeConfirmation } from './confirmation.ts'

export type Request = { readonly account: Account; readonly visit: Visit; readonly body: SignUp }

/**
 * `POST /signup` where addresses are confirmed first. The answer is the same whether the address is new, waits for its
 * confirmation or belongs to somebody, and takes as long: each hashes one password.
 */
export async function requestConfirmation(deps: AuthDeps, request: Request): Promise<Answer> {
  const { account, body } = request
  toCodeChallenge(body)
  toChannel(body.channel)
  const { key, password, provider } = account
  return atTick(deps, async () => {
    const known = await findUser(deps.database, key)
    if (known === undefined) {
      const passwordHash = await deps.passwords.hash(password)
      return atMostOften(deps, toSending(account), () => begin(deps, request, passwordHash))
    }
    const { ok } = await deps.passwords.verify(password, known.encrypted_password || undefined)
    // Two people may have chosen these passwords, and one answer to a mail cannot tell whose is right: neither stays.
    if (!ok) await dispute(deps, known.id)
    return atMostOften(deps, toSending(account), async () => {
      const { address } = request.visit
      const action = isWaiting(known, provider) ? 'user_confirmation_requested' : 'user_repeated_signup'
      await insertAuditEvent(deps.database, { action, actor: known, address, traits: { provider } })
      if (isWaiting(known, provider)) await sendAgain(deps, request, known)
      return { status: 200, body: toPretendedUser(deps, request, isWaiting(known, provider) ? known.id : undefined) }
    })
  })
}

async function dispute({ database }: AuthDeps, id: string): Promise<void> {
  await database.transaction(async (tx) => {
    // Its owner may have confirmed it while the password was checked.
    const user = await findUser(tx, { id }, { lock: true })
    if (user !== undefined) await disputeAccount(tx, user)
  })
}

const isWaiting = (user: UserRow, provider: Account['provider']): boolean =>
  (provider === 'email' ? user.email_confirmed_at : user.phone_confirmed_at) === null

function toSending({ key }: Pick<Account, 'key'>): Sending {
  if ('email' in key) return { kind: 'signup', address: key.email, channel: 'email' }
  return { kind: 'sms', address: key.phone, channel: 'sms' }
}

async function begin(deps: AuthDeps, request: Request, passwordHash: string): Promise<Answer> {
  const { account, visit, body } = request
  const { id, key, provider } = account
  const begun = await deps.database.transaction(async (tx) => {
    const user = await insertAccount(deps, tx, { id, key, passwordHash, data: body.data })
    if (user === undefined) return undefined
    await insertAuditEvent(tx, {
      action: 'user_confirmation_requested',
      actor: user,
      address: visit.address,
      traits: { provider },
    })
    const messages = await writeConfirmation(deps, tx, { user, visit, body })
    return { user: (await findUser(tx, { id: user.id }))!, messages }
  })
  // Somebody signed up with the address at the same moment.
  if (begun === undefined) return requestConfirmation(deps, request)
  await sendUnheard(deps, begun.messages)
  return { status: 200, body: toUserJson(begun.user) }
}

async function sendAgain(deps: AuthDeps, { visit, body }: Request, user: UserRow): Promise<void> {
  const messages = await deps.database.transaction((tx): Promise<Messages> =>
    writeConfirmation(deps, tx, { user, visit, body }),
  )
  await sendUnheard(deps, messages)
}
