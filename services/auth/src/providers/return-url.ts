import { Refusal } from '@pando/core/refusal'
import type { SessionJson } from '../sessions/access-token.ts'

/** Tells the SDKs that the fragment is ours. */
const mark = { sb: '' } as const

type ProviderTokens = { readonly accessToken: string; readonly refreshToken?: string }

/** Where an app without PKCE finds its session: in the fragment, which no server sees. */
export function toUrlWithSession(to: string, session: SessionJson, tokens: ProviderTokens): string {
  const fragment = new URLSearchParams({
    access_token: session.access_token,
    expires_at: String(session.expires_at),
    expires_in: String(session.expires_in),
    provider_token: tokens.accessToken,
    ...(tokens.refreshToken === undefined ? {} : { provider_refresh_token: tokens.refreshToken }),
    refresh_token: session.refresh_token,
    token_type: session.token_type,
    ...mark,
  })
  return `${to}#${fragment}`
}

const textLengthMax = 500

/** Where an app finds out what went wrong: in the query and, for older SDKs, in the fragment. */
export function toErrorUrl(to: string, error: unknown): string {
  const { code, status, message, facts } = toRefusal(error)
  const oauth = typeof facts['oauth'] === 'string'
  const described = {
    error: (oauth ? String(facts['oauth']) : toOauthError(code, status)).slice(0, textLengthMax),
    ...(oauth ? {} : { error_code: code }),
    error_description: message.slice(0, textLengthMax),
  }
  const url = new URL(to)
  for (const [name, value] of Object.entries(described)) url.searchParams.set(name, value)
  url.hash = new URLSearchParams({ ...described, ...mark }).toString()
  return url.href
}

const oauthErrors: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  401: 'unauthorized_client',
  403: 'access_denied',
  503: 'temporarily_unavailable',
}
const denials: ReadonlySet<string> = new Set(['signup_disabled', 'user_banned', 'provider_email_needs_verification'])

/** RFC 6749 §4.1.2.1 */
const toOauthError = (code: string, status: number): string =>
  denials.has(code) ? 'access_denied' : (oauthErrors[status] ?? 'server_error')

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  return new Refusal('unexpected_failure', 500, 'Unexpected failure, please check server logs for more information')
}
