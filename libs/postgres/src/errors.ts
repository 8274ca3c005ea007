/** The fields of an ErrorResponse (PostgreSQL protocol, "Error and Notice Message Fields"). */
export type PostgresErrorFields = {
  readonly severity: string
  /** SQLSTATE, five characters. */
  readonly code: string
  readonly message: string
  readonly detail?: string
  readonly hint?: string
  /** 1-based character offset into the statement's text. */
  readonly position?: number
  readonly where?: string
  readonly schema?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
}

/** Postgres answered with an error. */
export class PostgresError extends Error {
  readonly fields: PostgresErrorFields

  constructor(fields: PostgresErrorFields) {
    super(fields.message)
    this.name = 'PostgresError'
    this.fields = fields
  }
}

export type UnavailableReason =
  /** No connection could be made, or the one in use died. */
  | 'connection'
  /** No free connection within the deadline, or the queue is full. */
  | 'pool'
  /** The request's deadline passed. */
  | 'deadline'
  /** The client hung up. */
  | 'aborted'

/** Postgres gave no answer. `sent` tells whether the statement may have run: false means that a retry is safe. */
export class PostgresUnavailable extends Error {
  readonly reason: UnavailableReason
  readonly sent: boolean

  constructor(reason: UnavailableReason, message: string, options: { sent: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'PostgresUnavailable'
    this.reason = reason
    this.sent = options.sent
  }
}
