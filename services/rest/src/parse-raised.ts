import type { PostgresErrorFields } from '@pando/postgres/errors'

/** What a function asked for by `raise sqlstate 'PGRST'` (PostgREST v14, "RAISE errors with HTTP Status Codes"). */
export type Raised = {
  readonly status: number
  readonly statusText?: string
  readonly code: string
  readonly message: string
  readonly details: unknown
  readonly hint: unknown
  readonly headers: Record<string, string>
}

/** Reads `message` and `detail` as JSON; what does not fit is answered as PGRST121 with how it should look. */
export function parseRaised(fields: PostgresErrorFields): Raised {
  const message = parseObject(fields.message)
  if (message === undefined || !isText(message['code']) || !isText(message['message'])) {
    return unreadable(`Invalid JSON value for MESSAGE: '${fields.message}'`)
  }
  if (fields.detail === undefined) return unreadable('DETAIL is missing in the RAISE statement')
  const detail = parseObject(fields.detail)
  if (detail === undefined || !isStatus(detail['status']) || !isHeaders(detail['headers'])) {
    return unreadable(`Invalid JSON value for DETAIL: '${fields.detail}'`)
  }
  return {
    status: detail['status'],
    ...(isText(detail['status_text']) ? { statusText: detail['status_text'] } : {}),
    code: message['code'],
    message: message['message'],
    details: message['details'] ?? null,
    hint: message['hint'] ?? null,
    headers: detail['headers'],
  }
}

function unreadable(details: string): Raised {
  return {
    status: 500,
    code: 'PGRST121',
    message: 'Could not parse JSON in the "RAISE SQLSTATE \'PGRST\'" error',
    details,
    hint: details.includes('MESSAGE')
      ? "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'."
      : "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.",
    headers: {},
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isStatus = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 100 && Number(value) <= 599
const isHeaders = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((header) => isText(header) && !/[\r\n]/.test(header))
