import type { Relation, Values } from '../change.ts'

/** A column as the stream describes it; the stream has no names for built-in types. */
export type SentColumn = {
  readonly name: string
  readonly typeOid: number
  readonly typeModifier: number
  readonly isKey: boolean
}

export type SentRelation = Omit<Relation, 'columns' | 'describedAt'> & { readonly columns: readonly SentColumn[] }

/** An old row as the stream has it: `key` holds only the columns of the replica identity, `full` all. */
export type OldTuple = { readonly has: 'key' | 'full'; readonly values: Values }

/**
 * The messages of pgoutput, protocol version 1 (PostgreSQL documentation, "Logical Replication Message Formats").
 * Positions are LSNs, times microseconds since 2000-01-01 by the server's clock.
 */
export type Message =
  | { readonly kind: 'begin'; readonly commitLsn: bigint; readonly committedAt: bigint; readonly xid: number }
  | { readonly kind: 'commit'; readonly commitLsn: bigint; readonly endLsn: bigint; readonly committedAt: bigint }
  | { readonly kind: 'origin'; readonly commitLsn: bigint; readonly name: string }
  | { readonly kind: 'relation'; readonly relation: SentRelation }
  | { readonly kind: 'type'; readonly oid: number; readonly schema: string; readonly name: string }
  | { readonly kind: 'insert'; readonly relationOid: number; readonly row: Values }
  | {
      readonly kind: 'update'
      readonly relationOid: number
      readonly old: OldTuple | undefined
      readonly row: Values
    }
  | { readonly kind: 'delete'; readonly relationOid: number; readonly old: OldTuple }
  | {
      readonly kind: 'truncate'
      readonly relationOids: readonly number[]
      readonly cascade: boolean
      readonly restartIdentity: boolean
    }
  | {
      readonly kind: 'message'
      readonly transactional: boolean
      readonly lsn: bigint
      readonly prefix: string
      readonly content: Buffer
    }
