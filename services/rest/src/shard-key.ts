import { type Catalogue, nameKey } from '@pando/catalogue/catalogue'
import type { Claims } from '@pando/core/caller'
import type { ApiRequest } from './request/api-request.ts'
import type { Slot } from './request/query.ts'

/** The same query string with and without a key makes two statements; none has a NUL. */
const shapeMark = '\0k'

/**
 * Finds whose rows a request is about where tables are spread by a key, for the planner to restrict every such table to
 * that: the key that the request itself asks for, else that of the caller. Without Citus, and for a request that has
 * neither, nothing changes.
 */
export function withShardKey(
  request: ApiRequest,
  { shardKeys }: Pick<Catalogue, 'shardKeys'>,
  ofCaller: string | undefined,
): ApiRequest {
  if (shardKeys === undefined) return request
  const { query } = request
  const asked = findAskedKey(request, shardKeys)
  if (asked !== undefined) return { ...request, query: { ...query, shardKeySlot: asked } }
  if (ofCaller === undefined) return request
  const values = [...query.values, ofCaller]
  return { ...request, query: { ...query, values, shape: query.shape + shapeMark, shardKeySlot: query.values.length } }
}

/** `tenant_id=eq.…` of the relation itself. */
function findAskedKey({ target, query }: ApiRequest, shardKeys: ReadonlyMap<string, string>): Slot | undefined {
  const key = target.kind === 'relation' ? shardKeys.get(nameKey(target.name)) : undefined
  if (key === undefined) return undefined
  for (const { path, tree } of query.filters) {
    if (path.length > 0 || tree.kind !== 'condition' || tree.negated) continue
    const { field, operation } = tree
    const isKey = field.name === key && field.path.length === 0
    if (!isKey || operation.kind !== 'compare' || operation.operator !== 'eq') continue
    if (operation.quantifier === undefined) return operation.slot
  }
  return undefined
}

/** What a claim says, as text; `path` leads through objects by dots. Lists and objects are no key. */
export function findShardKey(claims: Claims, path: string | null): string | undefined {
  if (path === null) return undefined
  const value = path.split('.').reduce<unknown>(memberOf, claims)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}
