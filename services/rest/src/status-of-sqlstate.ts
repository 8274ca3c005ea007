/**
 * HTTP status for an error of Postgres (PostgREST v14, "HTTP Status Codes"). The first row whose prefix fits rules, so
 * exact codes stand before their class.
 */
const statusByPrefix: readonly (readonly [prefix: string, status: number])[] = [
  ['08', 503],
  ['09', 500],
  ['0L', 403],
  ['0P', 403],
  ['23503', 409],
  ['23505', 409],
  ['25006', 405],
  ['25', 500],
  ['28', 403],
  ['2D', 500],
  ['38', 500],
  ['39', 500],
  ['3B', 500],
  ['40', 500],
  ['53400', 500],
  ['53', 503],
  ['54', 500],
  ['55', 500],
  ['57P01', 503],
  ['57', 500],
  ['58', 500],
  ['F0', 500],
  ['HV', 500],
  ['P0001', 400],
  ['P0', 500],
  ['XX', 500],
  ['42883', 404],
  ['42P01', 404],
  ['42P17', 500],
]

/**
 * @param code SQLSTATE
 * @param message Postgres' text, which three codes need to tell a caller's mistake from the server's
 * @param isAnonymous whether the caller showed no identity: a missing privilege is then 401 instead of 403
 */
export function statusOfSqlState(code: string, message: string, isAnonymous: boolean): number {
  if (code === '42501') return isAnonymous ? 401 : 403
  if (code === '21000') return message.endsWith('requires a WHERE clause') ? 400 : 500
  if (code === '22023' && message.startsWith('role') && message.endsWith('does not exist')) return 401
  if (code === '42883' && message.startsWith('function xmlagg(')) return 406
  return statusByPrefix.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 400
}
