import type { Types } from '@pando/http/shape'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { isAdmin, type Visit } from '../visit.ts'

/** The body of a request that says nothing but that its sender is human. */
export const humanBody = (Type: Types) => Type.Object({})

/** Passwords can be guessed by machines; whoever has a token or code has been somebody's phone. */
export const guessesPassword = ({ query }: Visit): boolean =>
  query['grant_type'] === 'password' || query['grant_type'] === 'web3'

/**
 * Checks the captcha of a request (`gotrue_meta_security.captcha_token`). Admins have none.
 *
 * @throws captcha_failed
 */
export async function mustBeHuman({ checkCaptcha }: AuthDeps, visit: Visit, body: unknown): Promise<void> {
  if (checkCaptcha === undefined || isAdmin(visit)) return
  const security = (body as { gotrue_meta_security?: { captcha_token?: unknown } | null }).gotrue_meta_security
  const token = security?.captcha_token
  if (typeof token !== 'string' || token.trim() === '') throw errors.captchaMissing()
  await checkCaptcha(token.trim(), visit.address)
}
