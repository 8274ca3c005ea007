/**
 * The query string of a request as data. Values never stand in it: each value that a caller wrote is put into `values`,
 * and the tree refers to it by index (a *slot*). Two requests whose trees are equal share one compiled statement.
 * Grammar: PostgREST v14, "URL grammar", "Tables and views", "Resource embedding".
 */
export type ParsedQuery = {
  /** The query string with every value taken out: equal shapes mean equal trees. */
  readonly shape: string
  readonly values: readonly string[]
  readonly select: readonly SelectItem[]
  /** `and`/`or` trees and single filters, in the order of the query string. All must hold. */
  readonly filters: readonly { readonly path: EmbedPath; readonly tree: LogicTree }[]
  readonly orders: readonly { readonly path: EmbedPath; readonly terms: readonly OrderTerm[] }[]
  /** `limit` and `offset`; the numbers are values. The text of each is a checked integer. */
  readonly limits: readonly { readonly path: EmbedPath; readonly slot: Slot }[]
  readonly offsets: readonly { readonly path: EmbedPath; readonly slot: Slot }[]
  readonly columns?: readonly string[]
  readonly onConflict?: readonly string[]
  /**
   * Parameters that are no filters: the arguments of a function called by GET, in order; a name may repeat (variadic).
   */
  readonly args: readonly { readonly name: string; readonly slot: Slot }[]
  /** Whose rows it is about, where tables are spread by a key (`withShardKey`). */
  readonly shardKeySlot?: Slot
}

/** Index into `ParsedQuery.values`. */
export type Slot = number

/** The chain of embed names or aliases in front of a filter, order or limit; empty at the root. */
export type EmbedPath = readonly string[]

export type SelectItem =
  | {
      readonly kind: 'field'
      /** `*` is a name like any other here. Undefined only for a bare `count()`. */
      readonly field?: FieldRef
      readonly alias?: string
      readonly cast?: string
      readonly aggregate?: { readonly name: AggregateName; readonly cast?: string }
    }
  | {
      readonly kind: 'embed' | 'spread'
      readonly name: string
      /** Only of an embed. */
      readonly alias?: string
      readonly hint?: string
      readonly join?: 'inner' | 'left'
      readonly select: readonly SelectItem[]
    }

export type AggregateName = 'avg' | 'count' | 'max' | 'min' | 'sum'

/** A column, possibly followed by steps into its JSON. */
export type FieldRef = { readonly name: string; readonly path: readonly JsonStep[] }
export type JsonStep = { readonly arrow: '->' | '->>'; readonly key: string; readonly isIndex: boolean }

export type LogicTree =
  | { readonly kind: 'and' | 'or'; readonly negated: boolean; readonly children: readonly LogicTree[] }
  | Condition

export type Condition = {
  readonly kind: 'condition'
  readonly field: FieldRef
  readonly negated: boolean
  readonly operation: Operation
}

export type Operation =
  | {
      readonly kind: 'compare'
      readonly operator: CompareOperator
      readonly quantifier?: 'any' | 'all'
      readonly slot: Slot
    }
  /** The value is the text of a Postgres array literal. */
  | { readonly kind: 'in'; readonly slot: Slot }
  | { readonly kind: 'is'; readonly value: 'null' | 'not_null' | 'true' | 'false' | 'unknown' }
  | { readonly kind: 'isdistinct'; readonly slot: Slot }
  | {
      readonly kind: 'fts'
      readonly operator: 'fts' | 'plfts' | 'phfts' | 'wfts'
      readonly languageSlot?: Slot
      readonly slot: Slot
    }

/** With a quantifier the value is the text of an array literal. `*` of like and ilike is already `%` in the value. */
export type CompareOperator =
  | 'eq'
  | 'neq'
  | 'gt'
  | 'gte'
  | 'lt'
  | 'lte'
  | 'like'
  | 'ilike'
  | 'match'
  | 'imatch'
  | 'cs'
  | 'cd'
  | 'ov'
  | 'sl'
  | 'sr'
  | 'nxl'
  | 'nxr'
  | 'adj'

export type OrderTerm = {
  /** Undefined: a column of the relation itself. Otherwise the name or alias of a to-one embed. */
  readonly embed?: string
  readonly field: FieldRef
  readonly direction?: 'asc' | 'desc'
  readonly nulls?: 'first' | 'last'
}
