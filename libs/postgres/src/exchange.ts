import type { Deadline } from '@pando/core/deadline'

/**
 * One statement of an exchange. Parameters travel in text format with unspecified type, so Postgres infers the type
 * from the statement; a large text (a request body) may be given as chunks, which are written as they are, never
 * joined.
 */
export type Statement = {
  readonly text: string
  readonly params: readonly Parameter[]
}

export type Parameter = string | null | readonly Uint8Array[]

/**
 * What a caller sends to Postgres in one round trip: all statements before one Sync, therefore one transaction. An
 * error in one skips the rest and undoes everything; `set_config(…, true)` of an early statement holds for the later
 * ones and is gone afterwards.
 */
export type Exchange = {
  /** The role under which the statements run. The connection has assumed it before. */
  readonly role: string
  /** `read` runs in a read-only transaction. */
  readonly access: 'read' | 'write'
  /**
   * Settings that hold for these statements alone, for example `request.jwt.claims`. They are set in the one statement
   * that also asserts the role, which is cheaper than a statement of the caller's own.
   */
  readonly settings?: readonly (readonly [name: string, value: string])[]
  readonly statements: readonly Statement[]
  readonly deadline: Deadline
  /** When the caller has hung up, the statement is cancelled in Postgres if it runs. */
  readonly signal?: HangUp
}

/** Whether the caller hung up: looked at now and then, never listened to. An `AbortSignal` is one. */
export type HangUp = { readonly aborted: boolean }

/** The rows of one statement. A cell is the text form as bytes, or null. */
export type StatementResult = {
  readonly rows: readonly (readonly (Buffer | null)[])[]
  /** Postgres' command tag, for example `INSERT 0 3`. */
  readonly tag: string
}

/** Runs exchanges; resolves to one result per statement, rejects with `PostgresError` or `PostgresUnavailable`. */
export type RunExchange = (exchange: Exchange) => Promise<readonly StatementResult[]>
