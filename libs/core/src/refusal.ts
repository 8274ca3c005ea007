/**
 * A refusal is an expected "no": it has a code, an HTTP status and a text for the caller. Any other throw is a fault
 * and becomes a 500 without inner text.
 */
export class Refusal extends Error {
  readonly code: string
  readonly status: number
  /** Extra members of the answer (RFC 9457 extension members, or PostgREST's `details` and `hint`). */
  readonly facts: Readonly<Record<string, unknown>>
  /** Response headers that belong to the refusal, for example `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: string,
    status: number,
    message: string,
    extra: { facts?: Record<string, unknown>; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    // Nobody looks at the stack of a "no", and under overload there are many: without it one costs a quarter.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'Refusal'
    this.code = code
    this.status = status
    this.facts = extra.facts ?? {}
    this.headers = extra.headers ?? {}
  }
}
