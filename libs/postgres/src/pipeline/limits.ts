/** Every bound of the hot path. Sizes are counts or bytes, times are milliseconds. */
export type PipelineLimits = {
  /** Connections of all roles together; Postgres' `max_connections` must leave room for them. */
  readonly connectionsMax: number
  /** Connections per role on which proved-fast reads are pipelined. */
  readonly sharedConnectionsMax: number
  /** Connections per role for reads that are slow or not known yet, one exchange at a time. */
  readonly aloneConnectionsMax: number
  /** Connections per role for writes (group commit wants many). */
  readonly writeConnectionsMax: number
  /** Connections that are being opened at once, per role and kind of work. */
  readonly openingMax: number
  /**
   * Writes in flight on one connection when all of them have proved fast: the next one runs when the last one has
   * committed, without waiting for this process.
   */
  readonly writeDepthMax: number
  /** Bytes of parameters with which an exchange may still share a connection; more of them take their time. */
  readonly sharedBytesMax: number
  /** Exchanges in flight on one shared connection. */
  readonly sharedDepthMax: number
  /** A further shared connection is opened when the least loaded one has this many exchanges in flight. */
  readonly sharedDepthGrow: number
  /** Exchanges that wait for a connection, per role and kind; one more is refused with reason `pool`. */
  readonly queueMax: number
  /** How long an exchange waits for a connection before it is refused with reason `pool`. */
  readonly queueWaitMs: number
  /** Bytes of rows that one exchange may answer with; beyond it fails with SQLSTATE 54000. */
  readonly resultBytesMax: number
  /** Prepared statements kept per connection. */
  readonly preparedMax: number
  /** Statement texts whose speed is remembered. */
  readonly ledgerMax: number
  /** A statement whose moving average is at most this has proved fast; above twice this it is slow again. */
  readonly fastMs: number
  /** `statement_timeout` on shared connections: bounds how long a statement that turned slow delays those behind it. */
  readonly sharedStatementMs: number
  /** `statement_timeout` on all other connections, where the role sets none; the backstop behind deadlines. */
  readonly statementMs: number
  /** `idle_in_transaction_session_timeout`: frees the locks of a process that stopped inside a transaction. */
  readonly transactionIdleMs: number
  /** A connection unused for this long is closed. */
  readonly connectionIdleMs: number
  /** Connecting, TLS and authentication together. */
  readonly connectMs: number
  /** The first and the longest pause after a failed connect; doubled each time, jittered. */
  readonly backoffMs: number
  readonly backoffMsMax: number
  /** A cancelled statement that has not ended by then costs its connection. */
  readonly cancelMs: number
  /** How often the abort signals of running exchanges are looked at. */
  readonly abortPollMs: number
  /** How long `close()` waits for running exchanges. */
  readonly closeMs: number
}

export const defaultPipelineLimits: PipelineLimits = {
  connectionsMax: 48,
  sharedConnectionsMax: 3,
  aloneConnectionsMax: 8,
  writeConnectionsMax: 16,
  writeDepthMax: 4,
  sharedBytesMax: 64 * 1024,
  openingMax: 4,
  sharedDepthMax: 32,
  sharedDepthGrow: 4,
  queueMax: 1_000,
  queueWaitMs: 10_000,
  resultBytesMax: 256 * 1024 * 1024,
  preparedMax: 256,
  ledgerMax: 4_096,
  fastMs: 5,
  sharedStatementMs: 1_000,
  statementMs: 60_000,
  transactionIdleMs: 30_000,
  connectionIdleMs: 30_000,
  connectMs: 5_000,
  backoffMs: 50,
  backoffMsMax: 2_000,
  cancelMs: 5_000,
  abortPollMs: 20,
  closeMs: 5_000,
}
