import { STATUS_CODES } from 'node:http'
import type { Problem } from '@pando/contract/problem'
import { Refusal } from '@pando/core/refusal'

export const problemMediaType = 'application/problem+json; charset=utf-8'

/** What a client is told about a throw that is not a refusal: nothing but that it happened, and where to look. */
const fault = new Refusal(
  'http.internal_error',
  500,
  'Something went wrong here. The log has it under this request id.',
)

/** A refusal as it is, anything else as the fault that says nothing. */
export function toRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : fault
}

/** The problem document of a refusal. `type` is `about:blank` (RFC 9457 §4.2.1): the code tells problems apart. */
export function toProblem(refusal: Refusal, requestId?: string): Problem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[refusal.status] ?? 'Error',
    detail: refusal.message,
    ...refusal.facts,
    status: refusal.status,
    code: refusal.code,
    ...(requestId === undefined ? {} : { requestId }),
  }
}
