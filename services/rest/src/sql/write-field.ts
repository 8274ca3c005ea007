import type { JsonStep } from '../request/query.ts'
import type { FieldPlan, RowReference } from '../plan/read-plan.ts'
import { quoteLiteral, quoteName, quoteQualified } from '@pando/postgres/quote'

/** A field as an expression: its column or function of the row, then the steps into its JSON. */
export function writeField(field: FieldPlan): string {
  const base =
    field.computed === undefined
      ? `${quoteName(field.alias)}.${quoteName(field.name)}`
      : `${quoteQualified(field.computed)}(${writeRow({ alias: field.alias })})`
  if (field.path.length === 0) return base
  return `(${field.toJsonb ? `to_jsonb(${base})` : base}${field.path.map(writeStep).join('')})`
}

/** A row as one value. `.*` keeps a column of the alias' name from being taken instead. */
export function writeRow({ alias, column }: RowReference): string {
  return column === undefined ? `${quoteName(alias)}.*` : `(${quoteName(alias)}.${quoteName(column)})`
}

function writeStep({ arrow, key, isIndex }: JsonStep): string {
  return `${arrow}${isIndex ? ` ${Number.parseInt(key, 10)}` : quoteLiteral(key)}`
}
