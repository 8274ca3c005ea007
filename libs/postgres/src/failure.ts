import { DatabaseError } from 'pg'
import { PostgresError, PostgresUnavailable } from './errors.ts'

/** SQLSTATEs by which a server says that it ends this session or takes no more: connection exceptions, shutdown, too many. */
const unavailableCode = /^(08...|57P0[1-5]|53300)$/

/**
 * What `pg` throws, in the house's terms: an answer of the server becomes `PostgresError`, no answer becomes
 * `PostgresUnavailable`. `sent` tells whether a statement may have reached the server. Errors that did not come from
 * Postgres are returned as they are.
 */
export function toPostgresFailure(error: unknown, { sent }: { readonly sent: boolean }): unknown {
  if (error instanceof PostgresError || error instanceof PostgresUnavailable) return error
  if (error instanceof DatabaseError && error.code !== undefined) {
    if (!unavailableCode.test(error.code)) return toPostgresError(error, error.code)
    return new PostgresUnavailable('connection', `Postgres ends the session: ${error.message}`, { sent, cause: error })
  }
  if (!(error instanceof Error)) return error
  if (error.message.startsWith('timeout exceeded when trying to connect')) {
    return new PostgresUnavailable('pool', 'no connection to Postgres became free in time', {
      sent: false,
      cause: error,
    })
  }
  if (isAnswerLate(error)) {
    return new PostgresUnavailable('connection', 'Postgres did not answer in time', { sent, cause: error })
  }
  if (isConnectionError(error)) {
    const text = error.message || String((error as NodeJS.ErrnoException).code)
    return new PostgresUnavailable('connection', `Postgres cannot be reached: ${text}`, { sent, cause: error })
  }
  return error
}

/** Whether the client has given up on an answer that may still come. */
export function isAnswerLate(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout'
}

/** Node's socket errors carry `errno`/`syscall`; several addresses tried in vain are an AggregateError; `pg` has texts. */
function isConnectionError(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code
  if (code !== undefined && /^(E[A-Z]+|ERR_TLS_.+|ERR_SSL_.+)$/.test(code)) return true
  return /Connection terminated|Client has encountered a connection error|not queryable|server does not support SSL|timeout expired/.test(
    error.message,
  )
}

function toPostgresError(error: DatabaseError, code: string): PostgresError {
  const { severity = 'ERROR', message, detail, hint, where, schema, table, column, constraint } = error
  const position = error.position === undefined ? undefined : Number(error.position)
  const failure = new PostgresError({
    severity,
    code,
    message,
    detail,
    hint,
    position,
    where,
    schema,
    table,
    column,
    constraint,
  })
  failure.cause = error
  return failure
}
