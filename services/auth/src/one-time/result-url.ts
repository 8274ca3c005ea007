import type { Refusal } from '@pando/core/refusal'
import type { SessionJson } from '../sessions/access-token.ts'

/** What an app gets where it asked people to be sent back to. */
export type Result = { readonly code: string } | { readonly session: SessionJson; readonly type: string }

/** `sb` tells apps whose fragment it is. */
const sign = { sb: '' }

/** Tokens go into the fragment, which browsers keep from servers; a code goes into the query, as apps read it there. */
export function toResultUrl(redirectTo: string, result: Result): string {
  if ('code' in result) return withParts(redirectTo, { query: { code: result.code } })
  const { access_token, expires_at, expires_in, refresh_token, token_type } = result.session
  return withParts(redirectTo, {
    fragment: {
      access_token,
      expires_at: String(expires_at),
      expires_in: String(expires_in),
      refresh_token,
      ...sign,
      token_type,
      type: result.type,
    },
  })
}

export function toMessageUrl(redirectTo: string, message: string, isPkce: boolean): string {
  return withParts(redirectTo, { query: isPkce ? { message } : {}, fragment: { message, ...sign } })
}

/** RFC 6749 §4.1.2.1 and §4.2.2.1, with the wire's own codes beside. */
export function toErrorUrl(redirectTo: string, { status, code, message }: Refusal, isPkce: boolean): string {
  const parts = { error: toOAuthError(status), error_code: code, error_description: message }
  return withParts(redirectTo, { query: isPkce ? parts : {}, fragment: { ...parts, ...sign } })
}

function toOAuthError(status: number): string {
  if (status >= 500) return status === 503 ? 'temporarily_unavailable' : 'server_error'
  return status === 400 || status === 422 || status === 404 ? 'invalid_request' : 'access_denied'
}

type Parts = { readonly query?: Record<string, string>; readonly fragment?: Record<string, string> }

function withParts(redirectTo: string, { query = {}, fragment = {} }: Parts): string {
  const url = new URL(redirectTo)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  url.hash = new URLSearchParams(fragment).toString()
  return url.href
}
