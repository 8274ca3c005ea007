import { nameKey, type Relation } from '@pando/catalogue/catalogue'
import { errors } from '../errors.ts'
import type { ApiRequest, BodyShape } from '../request/api-request.ts'
import type { LogicTree } from '../request/query.ts'
import type { Conflict, Insert, MutatePlan, Update } from './mutate-plan.ts'
import { planFilter } from './plan-filter.ts'
import { planPayload } from './plan-payload.ts'
import { planRead } from './plan-read.ts'
import { ownParts } from './query-parts.ts'
import type { FilterPlan, ReadPlan } from './read-plan.ts'
import { isOnCitus } from './scope.ts'
import type { Scope } from './scope.ts'
import { shardFilters } from './shard-filters.ts'

/** The name that a statement gives the rows it changed or got from a function. */
export const rowsName = 'pando_rows'

export type Mutation = { readonly request: ApiRequest; readonly body: BodyShape; readonly relation: Relation }

/**
 * Plans POST, PATCH, PUT and DELETE on a relation. Filters choose the rows to change; everything else of the query
 * string shapes what is read from the changed rows.
 *
 * @throws PGRST204 for an unknown column, PGRST105, 114, 115 for PUT, and what reading throws
 */
export function planMutation(scope: Scope, mutation: Mutation): MutatePlan {
  const { request, relation } = mutation
  const alias = scope.alias(relation.name)
  const asks = request.preferences.return
  const isInsert = request.method === 'POST'
  return {
    change: planChange(scope, mutation, alias),
    relation,
    alias,
    ...(asks === 'representation' ? { read: planChanged(scope, mutation) } : {}),
    location: isInsert && asks === 'headers-only' ? relation.primaryKey : [],
  }
}

function planChange(scope: Scope, mutation: Mutation, alias: string): MutatePlan['change'] {
  const { request, relation } = mutation
  const rootFilters = (of: string): FilterPlan[] => [
    ...planRootFilters(scope, mutation, of),
    ...shardFilters(scope, relation, of),
  ]
  switch (request.method) {
    case 'DELETE':
      return { kind: 'delete', filters: rootFilters(alias) }
    case 'PATCH':
      return planUpdate(scope, mutation, rootFilters(alias))
    case 'PUT':
      return planPut(scope, mutation)
    default: {
      const conflict = planConflict(scope, request, relation)
      const payload = planPayload(scope, mutation)
      return { kind: 'insert', payload, filters: [], conflict } satisfies Insert
    }
  }
}

function planUpdate(scope: Scope, mutation: Mutation, filters: readonly FilterPlan[]): Update {
  const payload = planPayload(scope, mutation)
  const key = scope.catalogue.shardKeys?.get(nameKey(mutation.relation))
  const isSet = payload.columns.some(({ column }) => column.name === key)
  if (key === undefined || scope.shardKeySlot === undefined || !isSet) return { kind: 'update', payload, filters }
  return { kind: 'update', payload, filters, keptKey: { column: key, slot: scope.shardKeySlot } }
}

function planRootFilters(scope: Scope, { request, relation }: Mutation, alias: string): FilterPlan[] {
  const rows = { alias, relation, callsComputed: true }
  return ownParts(request.query).trees.map((tree) => planFilter(scope, { rows, embeds: [] }, tree))
}

/** Without a key to conflict on a resolution has no effect. */
function planConflict(scope: Scope, { preferences, query }: ApiRequest, relation: Relation): Conflict | undefined {
  const columns = query.onConflict ?? relation.primaryKey
  if (preferences.resolution === undefined || columns.length === 0) return undefined
  const resolution = preferences.resolution === 'merge-duplicates' ? 'merge' : 'ignore'
  return { columns, resolution, counting: chooseCounting(scope, relation) }
}

/** A view that can be written to on Citus has its rows on the coordinator, which is then as any Postgres. */
function chooseCounting(scope: Scope, { kind }: Relation): Conflict['counting'] {
  if (!isOnCitus(scope) || kind === 'view') return 'setting'
  return kind === 'table' ? 'row' : undefined
}

/** The same for callers who may not read system columns; undefined where none is read. */
export function withoutSystemColumns(plan: MutatePlan): MutatePlan | undefined {
  const { change } = plan
  if (change.kind !== 'insert' || change.conflict?.counting !== 'row') return undefined
  return { ...plan, change: { ...change, conflict: { ...change.conflict, counting: undefined } } }
}

/** One row, addressed by its whole primary key, that the payload must repeat. */
function planPut(scope: Scope, mutation: Mutation): Insert {
  const { request, relation } = mutation
  const { limits, offsets } = request.query
  if ([...limits, ...offsets].some(({ path }) => path.length === 0)) throw errors.putLimit()
  const addressed = new Set(ownParts(request.query).trees.map(addressedColumn))
  if (addressed.size === 0 || !isSameSet(addressed, relation.primaryKey)) throw errors.putFilters()
  const payload = planPayload(scope, mutation)
  const given = new Set(payload.columns.map(({ column }) => column.name))
  if (relation.primaryKey.some((name) => !given.has(name))) throw errors.putKeyMismatch()
  return {
    kind: 'insert',
    payload,
    conflict: { columns: relation.primaryKey, resolution: 'merge', counting: chooseCounting(scope, relation) },
    filters: planRootFilters(scope, mutation, payload.alias),
  }
}

/** The column of a plain `eq`; undefined for any other filter. */
function addressedColumn(tree: LogicTree): string | undefined {
  if (tree.kind !== 'condition' || tree.negated || tree.field.path.length > 0) return undefined
  const { operation, field } = tree
  const isEquality = operation.kind === 'compare' && operation.operator === 'eq' && operation.quantifier === undefined
  return isEquality ? field.name : undefined
}

function isSameSet(found: ReadonlySet<string | undefined>, wanted: readonly string[]): boolean {
  return found.size === wanted.length && wanted.every((name) => found.has(name))
}

/** Reads the changed rows: the filters have done their work, and no page is cut out of what was changed. */
function planChanged(scope: Scope, { request, relation }: Mutation): ReadPlan {
  const { query } = request
  const isBelow = ({ path }: { path: readonly string[] }): boolean => path.length > 0
  const parts = { ...query, filters: query.filters.filter(isBelow) }
  const target = {
    source: { kind: 'rows', name: rowsName },
    alias: scope.alias(relation.name),
    relation,
    use: 'root',
  } as const
  return planRead(scope, target, { select: query.select, parts, values: query.values })
}
