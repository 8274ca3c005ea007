import { nameKey } from '@pando/catalogue/catalogue'
import type { QualifiedName } from '@pando/catalogue/catalogue'
import type { FilterPlan } from './read-plan.ts'
import { resolveField } from './resolve-field.ts'
import { findRelation } from './scope.ts'
import type { Scope } from './scope.ts'

/**
 * That the rows of a table which is spread by a key are those of the key that the request is about. Said of every such table of a
 * statement it lets Citus hand the whole statement to the one server that has them, whatever it is made of.
 */
export function shardFilters(scope: Scope, name: QualifiedName, alias: string): FilterPlan[] {
  const key = scope.catalogue.shardKeys?.get(nameKey(name))
  if (key === undefined || scope.shardKeySlot === undefined) return []
  const rows = { alias, relation: findRelation(scope, name), callsComputed: false }
  const operation = { kind: 'compare', operator: 'eq', slot: scope.shardKeySlot } as const
  return [{ kind: 'condition', field: resolveField(scope, rows, { name: key, path: [] }), negated: false, operation }]
}
