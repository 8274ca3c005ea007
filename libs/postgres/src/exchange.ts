import type { Deadline } from '@pando/core/deadline'
import type { Lsn } from './lsn.ts'

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
  /** Whose reads see whose writes; without it the primary alone is asked. Means nothing where there are no replicas. */
  readonly consistency?: Consistency
  /** Of a write: asked for where its commit is, which costs a further statement in the same trip. */
  readonly onCommit?: OnCommit
}

/**
 * Told, before the promise resolves, of a place in the log behind the commit; undefined when it is committed and the place
 * is not known.
 */
export type OnCommit = (place: string | undefined) => void

/** What a caller is never shown less of. */
export type Consistency = {
  /** Equal for all requests that must see each other's writes. */
  readonly caller: string
  /** A place that the caller knows of, shown by an earlier answer. */
  readonly atLeast?: Lsn
  /** Set by a write: a place behind its commit. */
  committed?: Lsn
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
