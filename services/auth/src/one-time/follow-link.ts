import type { Queries } from '@pando/postgres/database'
import { Refusal } from '@pando/core/refusal'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { startSession } from '../sessions/start-session.ts'
import { completeFlowState } from '../store/flow-states.ts'
import type { Visit } from '../visit.ts'
import { type Proven, prove } from './prove.ts'
import { isOfPhone, methodOf, toPurposes } from './purposes.ts'
import { toErrorUrl, toMessageUrl, toResultUrl } from './result-url.ts'
import { hashLongSecret, newSecret, pkcePrefix } from './secrets.ts'
import { halfMessage } from './verify.ts'
import { redirectOf } from './write-mail.ts'

/**
 * `GET /verify?token=…&type=…&redirect_to=…`: the link of a mail. Sends the browser on, with tokens in the fragment or,
 * when the app asked with a code challenge, with a code that only this app can exchange. Refusals go along, too.
 */
export async function followLink(deps: AuthDeps, visit: Visit): Promise<Answer> {
  const { type, token } = visit.query
  if (!type) throw errors.invalid('Verify requires a verification type')
  if (!token) throw errors.invalid('Verify requires a token or a token hash')
  const redirectTo = redirectOf(deps, visit)
  const isPkce = token.startsWith(pkcePrefix)
  try {
    if (isOfPhone(type)) throw errors.invalid('Unsupported verification type')
    const claim = { evidence: { tokenHash: token }, purposes: toPurposes(type), visit }
    const result = await prove(deps, claim, (tx, proven) => toResult(deps, tx, { proven, visit, type }))
    if (result === undefined) throw errors.linkExpired()
    if (result === 'half') return seeOther(toMessageUrl(redirectTo, halfMessage, isPkce))
    return seeOther(toResultUrl(redirectTo, result))
  } catch (error) {
    if (error instanceof Refusal) return seeOther(toErrorUrl(redirectTo, error, isPkce))
    throw error
  }
}

const seeOther = (location: string): Answer => ({ status: 303, headers: { location, 'cache-control': 'no-store' } })

type Arrival = { readonly proven: Proven; readonly visit: Visit; readonly type: string }

async function toResult(deps: AuthDeps, tx: Queries, { proven, visit, type }: Arrival) {
  const { user, token, isHalf } = proven
  if (isHalf) return 'half'
  if (token.flow_state_id === null) {
    return { session: await startSession(deps, tx, { user, method: methodOf(token.purpose), visit }), type }
  }
  const code = newSecret(deps.randomBytes)
  await completeFlowState(tx, { id: token.flow_state_id, userId: user.id, codeHash: hashLongSecret(code) })
  return { code }
}
