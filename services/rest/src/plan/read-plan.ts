import type { QualifiedName, Relation } from '@pando/catalogue/catalogue'
import type { AggregateName, JsonStep, Operation, Slot } from '../request/query.ts'
import type { PageClass } from './page-class.ts'

/**
 * A read with every name resolved. Each embedded resource is a read of its own that is linked to its parent.
 * An alias is unique in the whole statement, so any part may refer to any row that is in scope.
 */
export type ReadPlan = {
  readonly source: Source
  readonly alias: string
  /** Known when the rows are those of a relation: then `*` can be listed and domains be represented. */
  readonly relation?: Relation
  readonly outputs: readonly Output[]
  /** All embedded resources, also those that give no output. */
  readonly embeds: readonly EmbedPlan[]
  readonly filters: readonly FilterPlan[]
  readonly order: readonly OrderPlan[]
  /** Undefined: nothing limits the rows. */
  readonly limit?: LimitPlan
  /** Some output aggregates: the others are grouped by. */
  readonly grouped: boolean
  /** The filters leave at most one row, by all that is known. */
  readonly isOneRow: boolean
}

export type Source =
  | { readonly kind: 'relation'; readonly name: QualifiedName }
  /** A name that the statement itself makes: the mutated rows, or the rows of a call. */
  | { readonly kind: 'rows'; readonly name: string }
  /** A function of the parent's row. */
  | { readonly kind: 'computed'; readonly routine: QualifiedName; readonly row: RowReference }

/** A row as one value: the alias itself, or the column that carries it when the rows are not read from a relation. */
export type RowReference = { readonly alias: string; readonly column?: string }

export type LimitPlan =
  /** At the root both numbers come from the executor. */
  | { readonly kind: 'root'; readonly page: Exclude<PageClass, { kind: 'all' }> }
  /** `expected` bounds limit and offset together, see `PageClass`; `max` is `max-rows`. */
  | {
      readonly kind: 'embed'
      readonly limit?: Slot
      readonly offset?: Slot
      readonly max?: number
      readonly expected?: number
    }

/** A column, a value inside its JSON, or a function of the row. */
export type FieldPlan = {
  readonly alias: string
  readonly name: string
  readonly path: readonly JsonStep[]
  /** There is a path and the column is neither json nor jsonb (composite and array columns). */
  readonly toJsonb: boolean
  /** A computed column that was found: called with the row instead of read from it. */
  readonly computed?: QualifiedName
  /** Domain representations: the function by which a value leaves, and the one by which the text of a filter enters. */
  readonly toJson?: QualifiedName
  readonly fromText?: QualifiedName
  readonly isTsvector: boolean
}

export type Output = {
  readonly name: string
  readonly value: OutputValue
  /** In a to-one spread the aggregate is not applied there but by the parent, on the lifted column. */
  readonly aggregate?: AggregatePlan
}

export type OutputValue =
  | { readonly kind: 'all'; readonly alias: string }
  | { readonly kind: 'field'; readonly field: FieldPlan; readonly cast?: string }
  /** What a bare `count()` counts. */
  | { readonly kind: 'row' }
  /** The embedded rows as JSON. */
  | { readonly kind: 'embed'; readonly embed: EmbedPlan }
  /** An output of a spread, by its index there. */
  | { readonly kind: 'lifted'; readonly embed: EmbedPlan; readonly index: number }

export type AggregatePlan = { readonly name: AggregateName; readonly cast?: string }

export type EmbedPlan = {
  readonly name: string
  readonly alias?: string
  readonly kind: 'embed' | 'spread'
  readonly toOne: boolean
  /** Rows of the parent without a row here are left out. */
  readonly inner: boolean
  readonly link: Link
  readonly read: ReadPlan
  /** To-one, but no key proves it (views, computed relationships): only the first row counts. */
  readonly mayRepeat: boolean
  /** Alias of the rows of a spread in its parent. */
  readonly spreadAlias: string
}

export type Link =
  /** Pairs (column of the parent, column of the child). */
  | { readonly kind: 'columns'; readonly parent: string; readonly pairs: readonly ColumnPair[] }
  | {
      readonly kind: 'junction'
      readonly parent: string
      readonly junction: QualifiedName
      readonly alias: string
      /** Pairs (column of the parent, column of the junction). */
      readonly parentPairs: readonly ColumnPair[]
      /** Pairs (column of the child, column of the junction). */
      readonly childPairs: readonly ColumnPair[]
      /** Of a junction that is spread over shards. */
      readonly filters: readonly FilterPlan[]
    }
  | { readonly kind: 'computed' }

export type ColumnPair = readonly [left: string, right: string]

export type FilterPlan =
  | { readonly kind: 'and' | 'or'; readonly negated: boolean; readonly children: readonly FilterPlan[] }
  | { readonly kind: 'condition'; readonly field: FieldPlan; readonly negated: boolean; readonly operation: Operation }
  /** Whether an embedded resource has rows. */
  | { readonly kind: 'exists'; readonly negated: boolean; readonly embed: EmbedPlan }

export type OrderPlan = {
  readonly field: FieldPlan
  /** The to-one embed whose column orders. */
  readonly embed?: EmbedPlan
  readonly direction?: 'asc' | 'desc'
  readonly nulls?: 'first' | 'last'
}
