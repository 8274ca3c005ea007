import { errors } from '../errors.ts'
import type { Condition, LogicTree } from '../request/query.ts'
import type { EmbedPlan, FilterPlan } from './read-plan.ts'
import { resolveField } from './resolve-field.ts'
import type { RowScope } from './resolve-field.ts'
import type { Scope } from './scope.ts'

/** Where the names of a filter are looked up: embedded resources first, then columns. */
export type FilterScope = { readonly rows: RowScope; readonly embeds: readonly EmbedPlan[] }

/**
 * Resolves a logic tree. `is.null` of an embedded resource asks whether it has rows ("Null filtering on embedded
 * resources"); any other operator means the column of that name, or is PGRST120.
 */
export function planFilter(scope: Scope, names: FilterScope, tree: LogicTree): FilterPlan {
  if (tree.kind === 'condition') return planCondition(scope, names, tree)
  return {
    kind: tree.kind,
    negated: tree.negated,
    children: tree.children.map((child) => planFilter(scope, names, child)),
  }
}

function planCondition(scope: Scope, names: FilterScope, condition: Condition): FilterPlan {
  const { field, negated, operation } = condition
  const embed = field.path.length === 0 ? findEmbed(names.embeds, field.name) : undefined
  if (embed === undefined)
    return { kind: 'condition', field: resolveField(scope, names.rows, field), negated, operation }
  if (operation.kind !== 'is' || !(operation.value === 'null' || operation.value === 'not_null')) {
    if (names.rows.relation?.columns.has(field.name) !== true) throw errors.embedFilter(field.name)
    return { kind: 'condition', field: resolveField(scope, names.rows, field), negated, operation }
  }
  return { kind: 'exists', negated: (operation.value === 'null') !== negated, embed }
}

function findEmbed(embeds: readonly EmbedPlan[], name: string): EmbedPlan | undefined {
  return embeds.find((embed) => (embed.alias ?? embed.name) === name)
}
