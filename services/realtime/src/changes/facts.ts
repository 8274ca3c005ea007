import type { ClaimFunction } from '@pando/catalogue/policies/claim-functions'

/** How values of a column are ordered: by bytes, or by rules that only Postgres knows. */
export type Collation = 'bytes' | 'deterministic' | 'other'

export type ColumnFacts = {
  readonly name: string
  readonly typeOid: number
  /** As pg_type has it: `int8`, `_text`. */
  readonly typeName: string
  /** As Postgres prints it: `bigint`, `text[]`, `public.mood`. */
  readonly typeText: string
  readonly collation: Collation
  readonly collationOid: number
  /** Computed from other columns; the log does not have it. */
  readonly isGenerated: boolean
  /** Whether the role may select it. */
  readonly selectable: boolean
}

/** A type that a column needs for its values; see pg_type. `fields` of row types: name and type. */
export type TypeFacts = {
  readonly oid: number
  readonly kind: 'b' | 'c' | 'd' | 'e' | 'p' | 'r' | 'm'
  /** Element of an array; 0 for all others. */
  readonly element: number
  readonly delimiter: string
  /** What a domain is made of; 0 for all others. */
  readonly base: number
  readonly fields: readonly (readonly [name: string, oid: number])[]
}

export type PolicyFacts = { readonly name: string; readonly isPermissive: boolean; readonly using: string }

/**
 * Why the log has no changes of a table that Citus keeps: its rows are on the workers, or they are here under the name of a
 * shard, which nothing translates. Null where the log has them.
 */
type RowsElsewhere = 'workers' | 'shards' | null

export type PublishedTable = {
  readonly schema: string
  readonly table: string
  readonly rowsElsewhere: RowsElsewhere
}

/** What the catalogue says about one table, for one role. */
export type TableFacts = {
  readonly oid: number
  readonly schema: string
  readonly table: string
  /** The table is in the publication. */
  readonly isPublished: boolean
  readonly rowsElsewhere: RowsElsewhere
  /** The role may use the schema. */
  readonly isUsable: boolean
  /** Row security is on, whoever asks. */
  readonly hasRowSecurity: boolean
  /** Row security is on and this role does not bypass it. */
  readonly policiesApply: boolean
  readonly columns: readonly ColumnFacts[]
  /** Columns of the primary key. */
  readonly key: readonly string[]
  readonly types: readonly TypeFacts[]
  /** Policies for select that concern this role. */
  readonly policies: readonly PolicyFacts[]
  /** What subqueries of policies read has row security or policies of its own, or is no plain table. */
  readonly readsGuarded: boolean
  readonly claimFunctions: readonly ClaimFunction[]
}
