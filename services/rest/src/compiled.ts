import type { Slot } from './request/query.ts'

/**
 * A request shape turned into SQL: everything that does not depend on values. Made once per shape and catalogue
 * generation, then only run.
 *
 * The statement gives exactly one row with these text columns, in this order (any may be null):
 * 0 total of rows without limit (only when `counts` is `exact`, or the estimate), 1 rows on this page (or affected),
 * 2 `Location` query of a single inserted row (`id=eq.5&…`, percent-encoded), 3 body, 4 `response.headers`,
 * 5 `response.status`, 6 rows inserted (as opposed to updated; only of upserts, for 201 versus 200).
 *
 * With `perRow` it gives a row for each row of the page instead, whose body is that row's JSON.
 */
export type CompiledStatement = {
  readonly text: string
  readonly params: readonly ParameterSource[]
  readonly perRow?: true
}

export const resultColumns = {
  total: 0,
  pageRows: 1,
  location: 2,
  body: 3,
  headers: 4,
  status: 5,
  inserted: 6,
} as const

export type ParameterSource =
  /** A value of the query string. */
  | { readonly from: 'slot'; readonly slot: Slot }
  /** The request body as it came (or as JSON, after a form or CSV was turned into it). */
  /**
   * With `as: 'bytea'` as Postgres' hex text (`\x…`), because a parameter's text can hold neither NUL nor other
   * encodings.
   */
  | { readonly from: 'body'; readonly as?: 'bytea' }
  /**
   * First row (offset) and number of rows that the `Range` header, `limit`, `offset` and `max-rows` leave at the root.
   */
  | { readonly from: 'limit' }
  | { readonly from: 'offset' }
