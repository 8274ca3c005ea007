export type MigrationCode =
  /** A file was changed after it was applied. */
  | 'changed'
  /** The database has migrations that these files do not have. */
  | 'unknown_applied'
  /** Two files have the same version. */
  | 'duplicate_version'
  /** The user of the URL may not do it. */
  | 'missing_rights'

/** The files and the database, or its user, do not fit together; the message says which and what to do. */
export class MigrationError extends Error {
  readonly code: MigrationCode
  /** The migrations it is about, as people know them. */
  readonly migrations: readonly string[]

  constructor(code: MigrationCode, message: string, migrations: readonly string[]) {
    super(message)
    this.name = 'MigrationError'
    this.code = code
    this.migrations = migrations
  }
}
