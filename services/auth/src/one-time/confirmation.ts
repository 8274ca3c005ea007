import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import type { Mail, TextMessage } from '../messages.ts'
import { toCodeChallenge } from '../pkce.ts'
import type { UserRow } from '../store/users.ts'
import type { Visit } from '../visit.ts'
import { sendText, toChannel, writeText } from './send-text.ts'
import { openFlow, writeMail } from './write-mail.ts'

/** What of a request says how its message is to be answered. */
export type Wishes = {
  readonly channel?: string
  readonly code_challenge?: string
  readonly code_challenge_method?: string
}

export type Confirmation = {
  readonly user: UserRow
  readonly visit: Visit
  readonly body: Wishes
}

/** A message to send when the transaction has committed. */
export type Messages = { readonly mail: Mail } | { readonly text: TextMessage | undefined }

/** Asks the owner of a new account's address, or number when it has no address, to confirm it. */
export async function writeConfirmation(deps: AuthDeps, tx: Queries, wanted: Confirmation): Promise<Messages> {
  const { user, visit, body } = wanted
  if (user.email === null) {
    const phone = user.phone!
    const channel = toChannel(body.channel)
    return { text: await writeText(deps, tx, { user, purpose: 'sms', phone, channel, visit }) }
  }
  const purpose = 'signup'
  const flowId = await openFlow(deps, tx, { userId: user.id, purpose, challenge: toCodeChallenge(body) })
  return { mail: await writeMail(deps, tx, { user, purpose, to: user.email, visit, flowId }) }
}

/** Hands it over, and answers as the wire does. */
export async function send(deps: AuthDeps, messages: Messages): Promise<{ readonly message_id?: string }> {
  if ('text' in messages) return sendText(deps, messages.text)
  await deps.sendMail(messages.mail)
  return {}
}

/**
 * Hands it over where the time must not tell whether there was anything to send: nobody waits for the provider of text
 * messages, whose failures are logged.
 */
export async function sendUnheard(deps: AuthDeps, messages: Messages): Promise<void> {
  if ('mail' in messages) return deps.sendMail(messages.mail)
  void sendText(deps, messages.text).catch(() => undefined)
}
