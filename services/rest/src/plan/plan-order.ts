import { errors } from '../errors.ts'
import type { OrderTerm } from '../request/query.ts'
import type { EmbedPlan, OrderPlan } from './read-plan.ts'
import { resolveField } from './resolve-field.ts'
import type { RowScope } from './resolve-field.ts'
import type { Scope } from './scope.ts'

/**
 * Resolves an order term; one that names an embedded resource must name a to-one (PGRST118) that is selected
 * (PGRST108).
 */
export function planOrder(
  scope: Scope,
  names: { rows: RowScope; embeds: readonly EmbedPlan[] },
  term: OrderTerm,
): OrderPlan {
  const direction = {
    direction: term.direction,
    nulls: term.nulls,
  }
  if (term.embed === undefined) return { field: resolveField(scope, names.rows, term.field), ...direction }
  const wanted = term.embed
  const embed =
    names.embeds.find(({ alias, name }) => (alias ?? name) === wanted) ??
    names.embeds.find(({ name }) => name === wanted)
  if (embed === undefined) throw errors.notEmbedded(wanted)
  if (!embed.toOne) throw errors.relatedOrder(names.rows.relation?.name ?? names.rows.alias, wanted)
  const { alias, relation } = embed.read
  const field = resolveField(scope, { alias, relation, callsComputed: true }, term.field)
  return { field, embed, ...direction }
}
