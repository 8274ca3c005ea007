import type { Cursor } from './cursor.ts'

export type Column = {
  readonly name: string
  readonly typeOid: number
  /** Name in pg_type; of a domain, the name of what it is made of. */
  readonly typeName: string
  /** Part of the replica identity: the primary key by default; every column when the identity is `full`. */
  readonly isKey: boolean
}

export type Relation = {
  readonly oid: number
  readonly schema: string
  readonly table: string
  readonly replicaIdentity: 'default' | 'nothing' | 'full' | 'index'
  /** The published columns, in the table's order. */
  readonly columns: readonly Column[]
  /**
   * The first change that the log has described it for. It is described anew, and this another place, after anything about
   * the table was changed, its policies and privileges too.
   */
  readonly describedAt: Cursor
}

/**
 * One value for each column, text as Postgres prints it (dates as ISO, times in UTC). Null is NULL; undefined is a value
 * that was not sent: a long value that an update did not touch, or a column outside of the key.
 */
export type Values = readonly (string | null | undefined)[]

export type Change = {
  readonly cursor: Cursor
  readonly kind: 'insert' | 'update' | 'delete' | 'truncate'
  readonly relation: Relation
  /** The new row of an insert or update. */
  readonly row: Values | undefined
  /**
   * The old row of a delete or update: all of it with replica identity `full`, otherwise the key, which an update sends only
   * when it changed the key.
   */
  readonly old: Values | undefined
  /** When its transaction committed, as in `Transaction`. */
  readonly committedAt: string
}

export type Transaction = {
  /** Where the commit stands in the log. */
  readonly lsn: bigint
  readonly xid: number
  /** Milliseconds since the epoch by the server's clock, with microseconds as fraction. */
  readonly committedAtMs: number
  /** The same as `2026-11-22T13:05:12.123456Z`. */
  readonly committedAt: string
  /**
   * Prefixes of the messages (`pg_logical_emit_message`) that it sent, of those that begin with `pando.`: what holds from its
   * commit on.
   */
  readonly notices: readonly string[]
  /** In the order in which they were made; empty when there are only notices. */
  readonly changes: readonly Change[]
  /** About how much memory it takes. */
  readonly bytes: number
}
