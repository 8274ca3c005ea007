import { Refusal } from '@pando/core/refusal'
import { PostgresError, PostgresUnavailable } from '@pando/postgres/errors'
import type { PostgresErrorFields } from '@pando/postgres/errors'
import type { Answer } from './answer.ts'
import { errors } from './errors.ts'
import { fromCitus } from './from-citus.ts'
import { parseRaised } from './parse-raised.ts'
import { statusOfSqlState } from './status-of-sqlstate.ts'

/** What the error texts may depend on besides the error itself. */
export type FailedRequest = {
  readonly role: string
  readonly isAnonymous: boolean
  readonly method: string
  /** Whether tables are spread over servers by Citus. */
  readonly isOnCitus: boolean
}

/**
 * The one place of this service where an error becomes an answer: `{code, message, details, hint}` as the SDKs decode
 * it. A fault (anything that is no refusal and no error of Postgres) becomes PGRSTX00 without its text; the caller of
 * this function logs it.
 */
export function renderError(error: unknown, request: FailedRequest): Answer {
  if (error instanceof PostgresError) {
    return renderPostgresError(request.isOnCitus ? fromCitus(error.fields) : error.fields, request)
  }
  const refusal =
    error instanceof Refusal
      ? toWireRefusal(error)
      : error instanceof PostgresUnavailable
        ? toUnavailable(error)
        : errors.internal('The server met an unexpected condition; its log tells more.')
  return {
    status: refusal.status,
    headers: { ...jsonHeaders(refusal.code), ...refusal.headers },
    body: errorBody(refusal.code, refusal.message, refusal.facts['details'], refusal.facts['hint']),
  }
}

/** True when nobody expected this error, so that it belongs into the log with its stack. */
export function isFault(error: unknown): boolean {
  return !(error instanceof Refusal || error instanceof PostgresError || error instanceof PostgresUnavailable)
}

function renderPostgresError(fields: PostgresErrorFields, request: FailedRequest): Answer {
  if (fields.code === 'PGRST') {
    const raised = parseRaised(fields)
    return {
      status: raised.status,
      ...(raised.statusText === undefined ? {} : { statusText: raised.statusText }),
      headers: { ...jsonHeaders(raised.code), ...raised.headers },
      body: errorBody(raised.code, raised.message, raised.details, raised.hint),
    }
  }
  const isOwnStatus = fields.code.startsWith('PT')
  const status = isOwnStatus
    ? Number(fields.code.slice(2))
    : statusOfSqlState(fields.code, fields.message, request.isAnonymous)
  const isHttpStatus = status >= 200 && status <= 599
  return {
    status: isHttpStatus ? status : 500,
    ...(!isOwnStatus || !isHttpStatus ? {} : { statusText: fields.message }),
    headers: {
      ...jsonHeaders(fields.code),
      ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
      ...(status === 503 ? { 'Retry-After': '1' } : {}),
    },
    body: errorBody(fields.code, fields.message, fields.detail, fields.hint ?? grantHint(fields, request)),
  }
}

/** Postgres says which table; people then ask which grant is missing. */
function grantHint(fields: PostgresErrorFields, request: FailedRequest): string | null {
  const table = /^permission denied for (?:table|view|materialized view) (.+)$/.exec(fields.message)?.[1]
  if (fields.code !== '42501' || table === undefined) return null
  const privilege =
    { POST: 'INSERT', PUT: 'INSERT, UPDATE', PATCH: 'UPDATE', DELETE: 'DELETE' }[request.method] ?? 'SELECT'
  return `Grant the required privileges to the current role with: GRANT ${privilege} ON ${table} TO ${request.role};`
}

/** The verifier's refusals under the codes of this wire; their texts are already PostgREST's. */
const tokenRefusals: Readonly<Record<string, (message: string) => Refusal>> = {
  'token.malformed': errors.jwtInvalid,
  'token.invalid': errors.jwtInvalid,
  'key.unknown': errors.jwtInvalid,
  'token.expired': errors.jwtClaims,
  'token.claims': (message) => (message === anonymousDisabled.message ? anonymousDisabled : errors.jwtClaims(message)),
  'token.keys_unavailable': errors.jwtKeysUnavailable,
}

const anonymousDisabled = errors.anonymousDisabled()

function toWireRefusal(refusal: Refusal): Refusal {
  return tokenRefusals[refusal.code]?.(refusal.message) ?? refusal
}

function toUnavailable(error: PostgresUnavailable): Refusal {
  switch (error.reason) {
    case 'connection':
      return error.sent ? errors.connectionLost(error.message) : errors.connectionFailed(error.message)
    case 'pool':
      return errors.poolTimeout()
    case 'deadline':
      return errors.statementTimeout()
    case 'aborted':
      return errors.connectionLost('The client closed the connection.')
  }
}

function jsonHeaders(code: string): Record<string, string> {
  return { 'Content-Type': 'application/json; charset=utf-8', 'Proxy-Status': `PostgREST; error=${code}` }
}

function errorBody(code: string, message: string, details: unknown, hint: unknown): string {
  return JSON.stringify({ code, details: details ?? null, hint: hint ?? null, message })
}
