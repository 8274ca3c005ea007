import type { Change, Relation, Values } from '@pando/changes/change'
import { fillIn } from './encode-change.ts'

/** A change, with its values by the names of their columns. */
export type SeenChange = {
  readonly change: Change
  readonly relation: Relation
  /** As `schema.table`, for people. */
  readonly table: string
  /** The new row, or the old one of a delete. */
  readonly values: Values
  /** The number of its transaction; undefined of a change that is told again. */
  readonly xid: number | undefined
  /** Undefined when the log does not have it. */
  valueOf(column: string): string | null | undefined
  typeOf(column: string): number | undefined
}

/** The values that conditions and policies look at. */
export function toValues({ row, old }: Change): Values {
  return row === undefined ? (old ?? []) : fillIn(row, old)
}

export function toSeenChange(change: Change, xid?: number): SeenChange {
  const { relation } = change
  const values = toValues(change)
  const places = new Map(relation.columns.map(({ name }, at) => [name, at]))
  return {
    change,
    relation,
    table: `${relation.schema}.${relation.table}`,
    values,
    xid,
    valueOf: (column) => values[places.get(column) ?? -1],
    typeOf: (column) => relation.columns[places.get(column) ?? -1]?.typeOid,
  }
}
