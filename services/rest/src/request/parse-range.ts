import type { ApiRequest } from './api-request.ts'

/** Both ends inclusive; `last` is undefined when the range is open. */
type RowRange = NonNullable<ApiRequest['range']>

const rangePattern = /^([0-9]+)-([0-9]*)$/

/**
 * `0-9` or `5-`; the ends may stand in the wrong order. Anything else, also a range in bytes, is no range of rows and
 * ignored (RFC 9110 §14.2).
 */
export function parseRange(header: string | undefined): RowRange | undefined {
  const match = header === undefined ? null : rangePattern.exec(header)
  if (match === null) return undefined
  const [, first = '', last = ''] = match
  return { first: toSafe(first), last: last === '' ? undefined : toSafe(last) }
}

/** Beyond 2^53 every row number is past the end of every table. */
function toSafe(text: string): number {
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER)
}
