import type { BodyOf, Types } from '@pando/http/shape'
import type { AuthDeps } from '../deps.ts'
import { canonicalEmail } from '../email.ts'
import { errors } from '../errors.ts'
import { disputeAccount } from '../ownership.ts'
import { toCodeChallenge } from '../pkce.ts'
import type { Answer } from '../route.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { findUser } from '../store/users.ts'
import type { Visit } from '../visit.ts'
import { atMostOften, atTick } from './send-limits.ts'
import { openFlow, writeMail } from './write-mail.ts'

export const recoverBody = (Type: Types) =>
  Type.Object({
    email: Type.Optional(Type.String({ maxLength: 1000 })),
    code_challenge: Type.Optional(Type.String({ maxLength: 128 })),
    code_challenge_method: Type.Optional(Type.String()),
  })

/** `POST /recover`: a link to sign in and choose a new password. Nobody learns whether there is an account. */
export async function recover(deps: AuthDeps, visit: Visit, body: BodyOf<typeof recoverBody>): Promise<Answer> {
  if (!body.email) throw errors.invalid('Password recovery requires an email')
  const email = canonicalEmail(body.email)
  const challenge = toCodeChallenge(body)
  return atTick(deps, () =>
    atMostOften(deps, { kind: 'recovery', address: email, channel: 'email' }, async () => {
      const mail = await deps.database.transaction(async (tx) => {
        const known = await findUser(tx, { email }, { lock: true })
        if (known === undefined) return undefined
        const user = await disputeAccount(tx, known)
        await insertAuditEvent(tx, { action: 'user_recovery_requested', actor: user, address: visit.address })
        const purpose = 'recovery'
        const flowId = await openFlow(deps, tx, { userId: user.id, purpose, challenge })
        return writeMail(deps, tx, { user, purpose, to: email, visit, flowId })
      })
      if (mail !== undefined) await deps.sendMail(mail)
      return { status: 200, body: {} }
    }),
  )
}
