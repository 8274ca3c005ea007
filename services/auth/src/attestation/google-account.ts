import type { Clock } from '@pando/core/clock'
import { importSigningKey, type SigningKey, signJwt } from '@pando/http/auth/sign-jwt'
import { type FetchBounds, fetchBounded } from '@pando/http/fetch-bounded'
import { createPrivateKey } from 'node:crypto'
import { parseObject } from '../parse-object.ts'

/** A service account of Google, as its key file names it. */
export type ServiceAccount = { readonly email: string; readonly tokenUrl: string; readonly key: SigningKey }

/** @throws when the text is no key file */
export function parseServiceAccount(text: string): ServiceAccount {
  const file = parseObject(text)
  const member = (name: string): string => {
    const value = file[name]
    if (typeof value !== 'string' || value === '') throw new Error(`${name} is missing`)
    return value
  }
  const { d, ...jwk } = createPrivateKey(member('private_key')).export({ format: 'jwk' })
  if (jwk.kty !== 'RSA' || d === undefined) throw new Error('private_key is not RSA')
  const key = importSigningKey({ ...jwk, d, kid: member('private_key_id'), alg: 'RS256' })
  return { email: member('client_email'), tokenUrl: member('token_uri'), key }
}

const scope = 'https://www.googleapis.com/auth/playintegrity'
const lifetimeSeconds = 3600
/** A token that ends so soon is not used any more. */
const marginMs = 60_000

export type AccessTokens = {
  /** One for all who ask, until it ends. */
  get(): Promise<string>
  /** It is not good any more. */
  forget(): void
}

/** Access tokens of an account: an assertion that it signs buys them (RFC 7523 §2.1). */
export function createAccessTokens(account: ServiceAccount, bounds: FetchBounds, clock: Clock): AccessTokens {
  let current: Promise<{ readonly token: string; readonly untilMs: number }> | undefined

  async function fetchToken() {
    const iat = Math.floor(clock.now() / 1000)
    const claims = { iss: account.email, scope, aud: account.tokenUrl, iat, exp: iat + lifetimeSeconds }
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: await signJwt(claims, account.key),
    })
    const response = await fetchBounded(account.tokenUrl, { method: 'POST', body }, bounds)
    const text = await response.text()
    if (!response.ok) throw new Error(`The token endpoint of Google answered ${response.status}: ${text.slice(0, 500)}`)
    const { access_token: token, expires_in: seconds } = parseObject(text)
    if (typeof token !== 'string') throw new Error('The token endpoint of Google answered without a token')
    return { token, untilMs: clock.now() + Number(seconds ?? 0) * 1000 - marginMs }
  }

  const forget = (): void => {
    current = undefined
  }
  return {
    forget,
    get: async () => {
      const known = current
      if (known !== undefined) {
        const { token, untilMs } = await known
        if (clock.now() < untilMs) return token
        if (current === known) forget()
      }
      const asked = (current ??= fetchToken())
      try {
        return (await asked).token
      } catch (error) {
        if (current === asked) forget()
        throw error
      }
    },
  }
}
