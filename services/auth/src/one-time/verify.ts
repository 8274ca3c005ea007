import type { BodyOf, Types } from '@pando/http/shape'
import type { AuthDeps } from '../deps.ts'
import { canonicalEmail } from '../email.ts'
import { errors } from '../errors.ts'
import { canonicalPhone } from '../phone.ts'
import type { Answer } from '../route.ts'
import { startSession } from '../sessions/start-session.ts'
import type { Visit } from '../visit.ts'
import { type Evidence, prove } from './prove.ts'
import { isOfPhone, methodOf, toPurposes } from './purposes.ts'
import { testCodeOf } from './send-text.ts'

export const verifyBody = (Type: Types) =>
  Type.Object({
    type: Type.Optional(Type.String()),
    token: Type.Optional(Type.String({ maxLength: 100 })),
    token_hash: Type.Optional(Type.String({ maxLength: 200 })),
    email: Type.Optional(Type.String({ maxLength: 1000 })),
    phone: Type.Optional(Type.String({ maxLength: 100 })),
    redirect_to: Type.Optional(Type.String()),
  })
type Verify = BodyOf<typeof verifyBody>

export const halfMessage = 'Confirmation link accepted. Please proceed to confirm link sent to the other email'

/** `POST /verify`: a session for the code or link token of a message. */
export async function verify(deps: AuthDeps, visit: Visit, body: Verify): Promise<Answer> {
  if (!body.type) throw errors.invalid('Verify requires a verification type')
  const evidence = await toEvidence(deps, body, body.type)
  const purposes = toPurposes(body.type)
  const outcome = await prove(deps, { evidence, purposes, visit }, async (tx, { user, token, isHalf }) => ({
    session: isHalf ? undefined : await startSession(deps, tx, { user, method: methodOf(token.purpose), visit }),
  }))
  if (outcome === undefined) throw 'tokenHash' in evidence ? errors.linkExpired() : errors.codeExpired()
  if (outcome.session === undefined) return { status: 200, body: { msg: halfMessage, code: '200' } }
  return { status: 200, body: outcome.session }
}

async function toEvidence(deps: AuthDeps, body: Verify, type: string): Promise<Evidence> {
  const { token, token_hash: tokenHash, email, phone, redirect_to: redirectTo } = body
  if (Boolean(token) === Boolean(tokenHash)) throw errors.invalid('Verify requires either a token or a token hash')
  if (tokenHash) {
    if (email || phone || redirectTo) throw errors.invalid('Only the token_hash and type should be provided')
    return { tokenHash }
  }
  if (Boolean(email) === Boolean(phone))
    throw errors.invalid('Only an email address or phone number should be provided on verify')
  if (email) return { address: canonicalEmail(email), code: token! }
  return textEvidence(deps, { phone: canonicalPhone(phone!), code: token!, type })
}

/** Where the provider makes the codes, it is the one who knows whether this is right. */
async function textEvidence(
  { verifyText, options }: AuthDeps,
  { phone, code, type }: { phone: string; code: string; type: string },
): Promise<Evidence> {
  const isOurs = verifyText === undefined || testCodeOf(options, phone) !== undefined || !isOfPhone(type)
  if (isOurs) return { address: phone, code }
  if (!(await verifyText(phone, code))) throw errors.codeExpired()
  return { address: phone, checked: true }
}
