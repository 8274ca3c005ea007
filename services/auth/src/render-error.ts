import { Refusal } from '@pando/core/refusal'
import { PostgresUnavailable } from '@pando/postgres/errors'

export type RenderedError = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
}

const version = '2024-01-01'

/**
 * An error as the SDKs decode it. Those that send `X-Supabase-Api-Version` of 2024-01-01 or later get `{code, message}`
 * with a code in words, older ones `{code: <status>, error_code, msg}`; OAuth refusals are RFC 6749 §5.2.
 */
export function renderError(error: unknown, asked: string | undefined): RenderedError {
  const refusal = toRefusal(error)
  const { code, status, message, facts } = refusal
  if (typeof facts['oauth'] === 'string') {
    return { status, headers: refusal.headers, body: { error: facts['oauth'], error_description: message } }
  }
  const headers = { ...refusal.headers, 'x-sb-error-code': code }
  if (isModern(asked)) {
    return { status, headers: { ...headers, 'x-supabase-api-version': version }, body: { code, message, ...facts } }
  }
  return { status, headers, body: { code: status, error_code: code, msg: message, ...facts } }
}

/** Whether it is a fault of ours, to be logged. */
export function isFault(error: unknown): boolean {
  if (error instanceof Refusal) return error.status === 500
  return !(error instanceof PostgresUnavailable && error.reason === 'aborted')
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof PostgresUnavailable) {
    return new Refusal('unexpected_failure', 503, 'The database cannot be reached now; try again', {
      headers: { 'Retry-After': '1' },
      cause: error,
    })
  }
  return new Refusal('unexpected_failure', 500, 'Unexpected failure, please check server logs for more information', {
    cause: error,
  })
}

function isModern(asked: string | undefined): boolean {
  return asked !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(asked) && asked >= version
}
