import type { ApiRequest } from './request/api-request.ts'
import { errors } from './errors.ts'

/** The rows of the root that a request asks for: `limit` undefined means all. */
export type PageRange = { readonly offset: number; readonly limit?: number }

/**
 * Combines `Range`, `limit`, `offset` and `max-rows` (PostgREST v14, "Limits and Pagination"): the header and the
 * parameters intersect, `max-rows` cuts what is left. `limit=0` asks for no rows and is always satisfiable.
 *
 * @throws PGRST103 for a negative limit, for a header whose end is before its start, and for a header and parameters
 * that have no row in common
 */
export function toPageRange(request: ApiRequest, maxRows: number | undefined): PageRange {
  const { query, range } = request
  const limit = rootNumber(query.limits, query.values)
  const offset = rootNumber(query.offsets, query.values) ?? 0
  if (limit !== undefined && limit < 0) throw errors.range('Limit should be greater than or equal to zero.')
  if (limit === 0) return { offset: 0, limit: 0 }
  if (range?.last !== undefined && range.last < range.first) {
    throw errors.range('The lower boundary must be lower than or equal to the upper boundary in the Range header.')
  }
  const first = Math.max(offset, range?.first ?? 0)
  const last = Math.min(limit === undefined ? Infinity : offset + limit - 1, range?.last ?? Infinity)
  if (first > last) {
    throw errors.range('Limit should be greater than or equal to zero.')
  }
  const rows = Math.min(last - first + 1, maxRows ?? Infinity)
  return rows === Infinity ? { offset: first } : { offset: first, limit: rows }
}

function rootNumber(entries: ApiRequest['query']['limits'], values: readonly string[]): number | undefined {
  const entry = entries.find(({ path }) => path.length === 0)
  return entry === undefined ? undefined : Number(values[entry.slot])
}
