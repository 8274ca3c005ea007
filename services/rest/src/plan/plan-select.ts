import { errors } from '../errors.ts'
import type { FieldRef, SelectItem } from '../request/query.ts'
import type { EmbedPlan, Output, OutputValue } from './read-plan.ts'
import { findRepresentation, resolveField } from './resolve-field.ts'
import type { RowScope } from './resolve-field.ts'
import type { Scope } from './scope.ts'

/** One item of `select` with, for an embedded resource, the plan already made of it. */
export type PlannedItem = { readonly item: SelectItem; readonly embed?: EmbedPlan }

/**
 * The outputs of one resource. With `listAll` a `*` becomes its columns, which grouping and spreading need; otherwise
 * it stays one when nothing about its columns has to be changed.
 *
 * @throws PGRST123 for an aggregate when they are not enabled
 */
export function planSelect(
  scope: Scope,
  rows: RowScope,
  items: readonly PlannedItem[],
  options: { listAll: boolean },
): Output[] {
  const listAll =
    options.listAll || items.some(({ item, embed }) => aggregates(item, embed)) || isRepresented(scope, rows)
  return items.flatMap(({ item, embed }) => {
    if (embed !== undefined) return embedOutputs(embed)
    if (item.kind !== 'field') return []
    if (item.field?.name === '*' && item.field.path.length === 0) return allOutputs(scope, rows, listAll)
    return [fieldOutput(scope, rows, item)]
  })
}

function aggregates(item: SelectItem, embed: EmbedPlan | undefined): boolean {
  if (item.kind === 'field') return item.aggregate !== undefined
  return item.kind === 'spread' && embed !== undefined && embed.read.outputs.some((output) => output.aggregate)
}

function isRepresented(scope: Scope, { relation }: RowScope): boolean {
  if (relation === undefined || scope.catalogue.representations.length === 0) return false
  return [...relation.columns.values()].some(({ type }) => findRepresentation(scope, type, 'json') !== undefined)
}

function allOutputs(scope: Scope, rows: RowScope, listAll: boolean): Output[] {
  if (!listAll || rows.relation === undefined) return [{ name: '*', value: { kind: 'all', alias: rows.alias } }]
  return [...rows.relation.columns.keys()].map((name) => ({
    name,
    value: { kind: 'field', field: resolveField(scope, rows, { name, path: [] }) },
  }))
}

type FieldItem = Extract<SelectItem, { kind: 'field' }>

function fieldOutput(scope: Scope, rows: RowScope, item: FieldItem): Output {
  const { field, aggregate, cast } = item
  if (aggregate !== undefined && !scope.config.aggregatesEnabled) throw errors.aggregates()
  const name = item.alias ?? aggregate?.name ?? outputName(field)
  const value: OutputValue =
    field === undefined ? { kind: 'row' } : { kind: 'field', field: resolveField(scope, rows, field), cast }
  return { name, value, aggregate }
}

/** The key that a value inside JSON gets: the last one of its path that is no index, else the column's name. */
function outputName(field: FieldRef | undefined): string {
  if (field === undefined) return 'count'
  return field.path.findLast((step) => !step.isIndex)?.key ?? field.name
}

function embedOutputs(embed: EmbedPlan): Output[] {
  const name = embed.alias ?? embed.name
  if (embed.read.outputs.length === 0) return []
  if (embed.kind === 'embed') return [{ name, value: { kind: 'embed', embed } }]
  return embed.read.outputs.map((output, index) => ({
    name: output.name,
    value: { kind: 'lifted', embed, index },
    aggregate: output.aggregate,
  }))
}
