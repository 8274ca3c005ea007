import type { Sliced } from './slices.ts'
import { readViewColumns } from './view-columns.ts'
import type { ColumnOrigin, ObjectId, ViewColumn } from './view-columns.ts'

/** Of each view, its columns by their number. */
export type ViewColumns = ReadonlyMap<ObjectId, ReadonlyMap<number, ViewColumn>>

/** Parses the rules of all views; the text of a rule can be let go afterwards. */
export function* readViews(rules: readonly (readonly [view: ObjectId, action: string])[]): Sliced<ViewColumns> {
  const views = new Map<ObjectId, ReadonlyMap<number, ViewColumn>>()
  for (const [view, action] of rules) {
    views.set(view, new Map(readViewColumns(action).map((column) => [column.column, column])))
    yield
  }
  return views
}

/**
 * The column of a table that a view's column shows, through views on views as far as their queries are known. A view
 * that (through `create or replace`) stands on itself ends at itself.
 */
export function findOrigin(views: ViewColumns, start: ColumnOrigin): ColumnOrigin {
  let at = start
  for (let depth = 0; depth < viewDepthMax; depth++) {
    const next = views.get(at.relation)?.get(at.column)?.origin
    if (next === undefined) return at
    at = next
  }
  return at
}

const viewDepthMax = 100

/** Whether a column can never be null: `notNull` tells it of tables, the stored queries prove it of views. */
export function isNeverNull(
  views: ViewColumns,
  notNull: (origin: ColumnOrigin) => boolean,
  { relation, column }: ColumnOrigin,
  seen = new Set<string>(),
): boolean {
  const proof = views.get(relation)?.get(column)?.notNullIf
  if (proof === undefined) return notNull({ relation, column })
  // A view that stands on itself proves nothing, and what has been looked at once has not proved it.
  const key = `${relation} ${column}`
  if (seen.has(key)) return false
  seen.add(key)
  return proof === 'always' || proof.some((origin) => isNeverNull(views, notNull, origin, seen))
}
