export type EmbeddedPostgresCode =
  /** Another program runs the cluster of this folder. */
  | 'folder_in_use'
  /** Something else listens on the wanted TCP port. */
  | 'port_in_use'
  /** No PostgreSQL binaries for this platform are installed. */
  | 'no_binaries'
  /** We are root, and there is no unprivileged user to run as, or it cannot reach the folder. */
  | 'no_account'
  /** The folder holds something that this version cannot run. */
  | 'unusable_folder'
  | 'initdb_failed'
  | 'start_failed'

/** The embedded PostgreSQL cannot run. The message says what to do; `facts` hold the values it speaks of. */
export class EmbeddedPostgresError extends Error {
  readonly code: EmbeddedPostgresCode
  readonly facts: Readonly<Record<string, string | number>>

  constructor(
    code: EmbeddedPostgresCode,
    message: string,
    extra: { facts?: Record<string, string | number>; cause?: unknown } = {},
  ) {
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause })
    this.name = 'EmbeddedPostgresError'
    this.code = code
    this.facts = extra.facts ?? {}
  }
}
