import type { Relation } from '@pando/catalogue/catalogue'
import type { FilterPlan } from './read-plan.ts'

/**
 * Whether filters leave at most one row: they say what each column of a key equals. A view's key is only inferred, so
 * it proves nothing.
 */
export function isOneRow(relation: Relation | undefined, filters: readonly FilterPlan[]): boolean {
  if (relation === undefined || !(relation.kind === 'table' || relation.kind === 'partitioned table')) return false
  const pinned = new Set(filters.flatMap(pinnedColumn))
  const isPinned = (key: readonly string[]): boolean => key.length > 0 && key.every((name) => pinned.has(name))
  return isPinned(relation.primaryKey) || relation.uniqueKeys.some(isPinned)
}

function pinnedColumn(filter: FilterPlan): string[] {
  if (filter.kind !== 'condition' || filter.negated || filter.field.path.length > 0) return []
  const { operation, field } = filter
  const isEquality = operation.kind === 'compare' && operation.operator === 'eq' && operation.quantifier === undefined
  return isEquality ? [field.name] : []
}
