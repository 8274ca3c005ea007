import { rowColumn } from './link-embed.ts'
import type { EmbedPlan, FilterPlan, OutputValue, ReadPlan } from './read-plan.ts'

/** What rows that a statement makes itself (changed rows, rows of a call) must carry for the read on top of them. */
export type Carried = {
  /** Every column: `*` was asked. */
  readonly all: boolean
  readonly names: ReadonlySet<string>
  /** The row as one value, for functions that take it. */
  readonly row: boolean
}

/** All columns that a read refers to by its own alias: nothing more is returned, so nothing more need be readable. */
export function carriedColumns(read: ReadPlan): Carried {
  const names = new Set<string>()
  const rows = { all: false, row: false }
  for (const { value } of read.outputs) if (value.kind === 'all') rows.all = true
  for (const name of [...read.outputs.flatMap(({ value }) => valueColumns(value)), ...orderColumns(read)])
    names.add(name)
  for (const name of read.filters.flatMap(filterColumns)) names.add(name)
  for (const embed of read.embeds) for (const name of linkColumns(embed)) names.add(name)
  if (names.delete(rowColumn)) rows.row = true
  return { ...rows, names }
}

function valueColumns(value: OutputValue): string[] {
  return value.kind === 'field' ? [value.field.name] : []
}

function orderColumns({ order }: ReadPlan): string[] {
  return order.flatMap(({ embed, field }) => (embed === undefined ? [field.name] : []))
}

function filterColumns(filter: FilterPlan): string[] {
  if (filter.kind === 'exists') return []
  return filter.kind === 'condition' ? [filter.field.name] : filter.children.flatMap(filterColumns)
}

function linkColumns({ link }: EmbedPlan): string[] {
  if (link.kind === 'computed') return [rowColumn]
  return (link.kind === 'columns' ? link.pairs : link.parentPairs).map(([parent]) => parent)
}
