import { errors } from './errors.ts'
import type { Execution } from './execute.ts'

/**
 * Lets an update repeat the key by which Citus spreads its rows, as whole rows do that were read before, and refuses any
 * other: no row goes to another server.
 */
export function mustKeepKey({ compiled, request, body }: Pick<Execution, 'compiled' | 'request' | 'body'>): void {
  const { keptKey } = compiled
  if (keptKey === undefined) return
  const key = String(request.query.values[keptKey.slot])
  if (readKey(Buffer.concat(body).toString(), keptKey.column) !== key) throw errors.keyKept(keptKey.column, key)
}

/** Of an array the first element counts. Numbers stay the text that they are. */
function readKey(json: string, column: string): unknown {
  const parsed = parse(json, (_name, value, { source }) => (typeof value === 'number' ? source : value))
  const [row] = Array.isArray(parsed) ? parsed : [parsed]
  return (row as Readonly<Record<string, unknown>> | undefined)?.[column]
}

/** With the text of values (ECMAScript 2026), which the types do not have yet. */
const parse = JSON.parse as (
  json: string,
  revive: (name: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown
