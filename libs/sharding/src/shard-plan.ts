import type { QualifiedName } from '@pando/catalogue/catalogue'
import type { ForeignKeyFact, ShardFacts, TableFact } from './facts.ts'

/** What a project says about its tables. Names are `table` or `schema.table`. */
export type ShardDeclaration = {
  /** Tables that have this column are spread by it. */
  readonly key: string | null
  /** Tables that are spread by another column. */
  readonly keys: ReadonlyMap<string, string>
  readonly reference: readonly string[]
  readonly local: readonly string[]
}

/** Where the rows of a table are. */
export type Place =
  /** On one server each, which the key decides. */
  | { readonly kind: 'distributed'; readonly key: string }
  /** On every server. */
  | { readonly kind: 'reference' }
  /** On the coordinator alone, as without Citus. */
  | { readonly kind: 'local' }

export type TablePlan = QualifiedName & {
  readonly place: Place
  /** Why it is there. */
  readonly why: string
  /** It is there already. */
  readonly isDone: boolean
  /** A distributed table whose equal keys are on the same server; undefined for the first one of a kind. */
  readonly colocateWith?: QualifiedName
  /** What must change before; none in a plan that can be applied. */
  readonly obstacles: readonly Obstacle[]
  /** What will be different, and is not refused. */
  readonly notes: readonly string[]
}

/** Something that Citus refuses, or that would not work on it. */
export type Obstacle = { readonly why: string; readonly remedy: string }

export type ShardPlan = {
  /** In the order in which they are placed. */
  readonly tables: readonly TablePlan[]
  /** What the declaration says of tables that are not there. */
  readonly mistakes: readonly string[]
}

/** Tables without a key that grow beyond this are no reference tables unless somebody says so. */
export const referenceBytesMax = 1_000_000_000

/** A table with its place, before anything is judged. */
export type PlacedTable = { readonly table: TableFact; readonly place: Place; readonly why: string }

/** What one table is judged against. */
export type PlanContext = {
  readonly facts: ShardFacts
  /** In the order in which they are placed. */
  readonly tables: readonly PlacedTable[]
  /** By `nameKey`. */
  readonly places: ReadonlyMap<string, Place>
  /** Foreign keys by which tables point at each other in a circle: none of those can be the first. */
  readonly circular: ReadonlySet<ForeignKeyFact>
}

export const isApplicable = ({ tables, mistakes }: ShardPlan): boolean =>
  mistakes.length === 0 && tables.every(({ obstacles }) => obstacles.length === 0)

/** Of a distributed table; undefined for any other. */
export function keyType({ table, place }: Pick<PlacedTable, 'table' | 'place'>): string | undefined {
  return place.kind === 'distributed' ? table.columns.find(({ name }) => name === place.key)?.type : undefined
}
