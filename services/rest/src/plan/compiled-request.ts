import type { CompiledStatement } from '../compiled.ts'
import type { KeptKey } from './mutate-plan.ts'
import type { ReadSources } from './sources.ts'

/**
 * A request shape that is ready to run: what the planner and the SQL writer leave for the executor. Depends on the
 * catalogue, the settings and the shape of request and body, never on a value.
 */
export type CompiledRequest = {
  readonly kind: 'read' | 'mutate' | 'call' | 'explain'
  /** `write` for mutations and for calls of volatile functions by POST. */
  readonly access: 'read' | 'write'
  readonly statement: CompiledStatement
  /** The same without the system columns that `statement` reads; who has grants on single columns may not read those. */
  readonly plainStatement?: CompiledStatement
  /** For `count=planned|estimated`: an `explain (format json)` whose top node's `Plan Rows` is the estimate. */
  readonly estimate?: CompiledStatement
  readonly output: OutputFormat
  /** Whether the answer carries a body; when not, cell 3 is empty and must not be asked for. */
  readonly hasBody: boolean
  /** Transaction-local settings of the called function that are hoisted, see `hoistedTxSettings`. */
  readonly settings: readonly (readonly [name: string, value: string])[]
  /** Set when a call's result is one value or row: no range, no `Content-Range`. */
  readonly isSingleResult: boolean
  /** True when the target is a function that returns void: 204. */
  readonly isVoid: boolean
  /** Of reads: what they read. */
  readonly sources?: ReadSources
  /** Of updates: what the body must repeat, see `mustKeepKey`. */
  readonly keptKey?: KeptKey
  readonly mutation?: 'insert' | 'update' | 'delete' | 'upsert' | 'put'
}

export type OutputFormat = {
  /** The `Content-Type` of the answer, with charset where the wire has one. */
  readonly contentType: string
  /** `application/vnd.pgrst.object+json`: exactly one row or 406. */
  readonly singular: boolean
  /** The body cell is Postgres' hex text of bytes (`\x…`): the bytes are sent. */
  readonly isBinary?: boolean
}
