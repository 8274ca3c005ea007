import { problemMediaType } from '@pando/http/problem'
import { STATUS_CODES } from 'node:http'

/** A "not now" of the gateway, before it has the shape of a protocol. */
export type TurnedAway = { readonly status: 429 | 503; readonly code: string; readonly message: string }

export type Shape = { readonly headers: Readonly<Record<string, string>>; readonly body: string }

const json = 'application/json; charset=utf-8'
type ToShape = (turnedAway: TurnedAway) => Shape

const shaped = (toBody: (turnedAway: TurnedAway) => object, contentType = json): ToShape => {
  return (turnedAway) => ({ headers: { 'content-type': contentType }, body: JSON.stringify(toBody(turnedAway)) })
}

/** By service, the errors that its clients decode; the text of each is made once. */
const shapes: Readonly<Record<string, ToShape>> = {
  rest: ({ code, message }) => ({
    headers: { 'content-type': json, 'proxy-status': `PostgREST; error=${code}` },
    body: JSON.stringify({ code, details: null, hint: null, message }),
  }),
  auth: shaped(({ status, message }) => ({ code: status, error_code: authCode, msg: message })),
  storage: shaped(({ status, message }) => ({ statusCode: String(status), error: 'SlowDown', message })),
  realtime: shaped(({ message }) => ({ error: message })),
  functions: shaped(({ code, message }) => ({ code, message })),
  graphql: shaped(({ code, message }) => ({ errors: [{ message, extensions: { code } }] })),
}

const problem: ToShape = shaped(
  ({ status, code, message }) => ({
    type: 'about:blank',
    title: STATUS_CODES[status],
    detail: message,
    status,
    code,
  }),
  problemMediaType,
)

/** The error of a service's protocol that says so; a problem document where the protocol is our own. */
export function toShape(service: string, turnedAway: TurnedAway): Shape {
  return (shapes[service] ?? problem)(turnedAway)
}

const authCode = 'over_request_rate_limit'
const authVersion = '2024-01-01'

/** Clients of accounts that name a version of that day or a later one get codes in words, as from the service itself. */
export function toModernAuthShape({ message }: TurnedAway): Shape {
  const headers = { 'content-type': json, 'x-sb-error-code': authCode, 'x-supabase-api-version': authVersion }
  return { headers, body: JSON.stringify({ code: authCode, message }) }
}

/** Whether a client of accounts asks for the modern shape. */
export function asksForModernAuth(version: string | string[] | undefined): boolean {
  return typeof version === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= authVersion
}
