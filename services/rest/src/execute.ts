import type { Deadline } from '@pando/core/deadline'
import type { Witness } from '@pando/cache/witness'
import type { Consistency, HangUp, Parameter, Statement, StatementResult } from '@pando/postgres/exchange'
import { PostgresError } from '@pando/postgres/errors'
import type { Isolation } from '@pando/postgres/pipeline/envelope'
import { quoteQualified } from '@pando/postgres/quote'
import type { CompiledStatement } from './compiled.ts'
import type { RestDeps } from './deps.ts'
import { errors } from './errors.ts'
import { mustKeepKey } from './must-keep-key.ts'
import type { PageRange } from './page-range.ts'
import { plannedRows } from './planned-rows.ts'
import type { CompiledRequest } from './plan/compiled-request.ts'
import type { Settings } from './request-settings.ts'
import type { ApiRequest } from './request/api-request.ts'
import type { RestConfig } from './rest-config.ts'
import { toResultSet } from './result-set.ts'
import type { ResultSet } from './result-set.ts'

/** A compiled request with its values, whoever asks. */
export type Question = {
  readonly request: ApiRequest
  readonly rawQuery: string
  readonly compiled: CompiledRequest
  readonly config: RestConfig
  readonly range: PageRange
}

/** The same, asked by one caller. */
export type Execution = Question & {
  readonly role: string
  readonly settings: Settings
  readonly body: readonly Uint8Array[]
  readonly deadline: Deadline
  readonly signal: HangUp
  /** Where there are replicas. */
  readonly consistency?: Consistency
  /** Of a read that may be kept; one that must look before it commits has none. */
  readonly witness?: Witness
}

type Run = Pick<RestDeps, 'run' | 'transaction'>

/**
 * Runs a request as its caller: in one round trip, unless its effect depends on what it finds.
 *
 * @throws PostgresError, PostgresUnavailable, and the refusals of `refuseEffect` and `mustKeepKey`
 */
export function execute(deps: Run, execution: Execution): Promise<ResultSet> {
  mustKeepKey(execution)
  const { compiled } = execution
  const { plainStatement } = compiled
  if (plainStatement === undefined) return executeOnce(deps, execution)
  return executeOnce(deps, execution).catch((error: unknown) => {
    if (!isDenied(error)) throw error
    return executeOnce(deps, { ...execution, compiled: { ...compiled, statement: plainStatement } })
  })
}

/** A privilege is missing, or a policy refuses; nothing was done. */
const isDenied = (error: unknown): boolean => error instanceof PostgresError && error.fields.code === '42501'

function executeOnce(deps: Run, execution: Execution): Promise<ResultSet> {
  const rollback = mustRollBack(execution)
  const mustLook = rollback || isConditional(execution) || isolationOf(execution.compiled) !== undefined
  const trip = mustLook ? inTransaction(deps, execution, rollback) : inOneTrip(deps, execution)
  return trip.then((results) => toFound(execution, results))
}

/** Ends with the result of the main statement, or with that and the estimate when one was asked for. */
type Results = readonly StatementResult[]

function inOneTrip(deps: Run, execution: Execution): Promise<Results> {
  const { role, settings, compiled, deadline, signal, consistency, witness } = execution
  const statements = statementsBefore(execution)
  if (witness !== undefined) statements.push(witness.before)
  statements.push(bind(compiled.statement, execution))
  if (compiled.estimate !== undefined) statements.push(bind(compiled.estimate, execution))
  if (witness !== undefined) statements.push(witness.after)
  const trip = deps.run({ role, access: compiled.access, settings, statements, deadline, signal, consistency })
  return witness === undefined ? trip : trip.then((results) => withoutWitness(results, witness))
}

/** The main result of a read that nothing runs before. */
function withoutWitness([before, main, after]: Results, witness: Witness): Results {
  const [first, last] = [before, after].map((result) => result?.rows[0]?.[0]?.toString())
  if (first !== undefined && last !== undefined) witness.testify(first, last)
  return [main!]
}

function toFound(execution: Execution, results: Results): ResultSet {
  const { compiled } = execution
  const { kind, output, estimate } = compiled
  const main = results.at(estimate === undefined ? -1 : -2)!
  if (kind === 'explain') return { pageRows: 0, body: joinLines(main) }
  const found = toResultSet(main, compiled)
  if (output.singular && found.pageRows !== 1) throw errors.notSingular(found.pageRows)
  return estimate === undefined ? found : { ...found, ...estimatedTotal(execution, found, results.at(-1)!) }
}

function inTransaction(deps: Run, execution: Execution, rollback: boolean): Promise<Results> {
  const { role, settings, compiled, deadline, signal, consistency } = execution
  const { access } = compiled
  const request = { role, access, settings, isolation: isolationOf(compiled), deadline, signal, consistency }
  return deps.transaction(request, async (tx) => {
    for (const statement of statementsBefore(execution)) await tx.query(statement)
    const main = await tx.query(bind(compiled.statement, execution))
    refuseEffect(execution, main)
    const { estimate } = compiled
    const results = estimate === undefined ? [main] : [main, await tx.query(bind(estimate, execution))]
    if (!rollback) return results
    // Deferred constraints speak now or never.
    await tx.query({ text: 'set constraints all immediate', params: [] })
    return tx.rollback(results)
  })
}

/** Refusals that must undo what the statement did. */
function refuseEffect({ request, compiled }: Execution, main: StatementResult): void {
  if (compiled.kind === 'explain') return
  const { pageRows } = toResultSet(main, compiled)
  const rowsMax = request.preferences.maxAffected ?? Infinity
  if (compiled.mutation === 'put' && pageRows !== 1) throw errors.putKeyMismatch()
  if (compiled.output.singular && pageRows !== 1) throw errors.notSingular(pageRows)
  if (limitsAffected(request) && pageRows > rowsMax) throw errors.maxAffected(pageRows)
}

const isolations: ReadonlySet<string | undefined> = new Set(['read committed', 'repeatable read', 'serializable'])

/** What a called function asks of its transaction; a transaction can only begin with it. */
function isolationOf({ settings }: CompiledRequest): Isolation | undefined {
  const asked = settings.find(([name]) => name === 'default_transaction_isolation')?.[1]?.toLowerCase()
  return isolations.has(asked) ? (asked as Isolation) : undefined
}

/** Whether the request may only commit when its result is as asked. */
function isConditional({ request, compiled }: Execution): boolean {
  if (compiled.access === 'read') return false
  return compiled.output.singular || compiled.mutation === 'put' || limitsAffected(request)
}

function limitsAffected({ preferences }: ApiRequest): boolean {
  return preferences.maxAffected !== undefined && preferences.handling === 'strict'
}

/** `Prefer: tx=` where the settings allow it to decide, and the settings otherwise. */
function mustRollBack({ request, config, compiled }: Execution): boolean {
  if (compiled.access === 'read') return false
  const asked = config.txEnd.endsWith('allow-override') ? request.preferences.transaction : undefined
  return (asked ?? (config.txEnd.startsWith('rollback') ? 'rollback' : 'commit')) === 'rollback'
}

/** The pre-request function, when there is one. */
function statementsBefore({ config: { preRequest } }: Execution): Statement[] {
  if (preRequest === undefined) return []
  return [{ text: `select ${quoteQualified(preRequest)}()`, params: [] }]
}

/** Puts the values of one request where the compiled statement wants them. */
export function bind(statement: CompiledStatement, { request, range, body }: Execution): Statement {
  const { values } = request.query
  const params = statement.params.map((source): Parameter => {
    switch (source.from) {
      case 'slot':
        return values[source.slot] as string
      case 'body':
        return source.as === 'bytea' ? toByteaText(body) : body
      case 'limit':
        return range.limit === undefined ? null : String(range.limit)
      case 'offset':
        return String(range.offset)
    }
  })
  return { text: statement.text, params }
}

/** Bytes as Postgres writes them in text: the parameter's own text could hold neither NUL nor other encodings. */
function toByteaText(chunks: readonly Uint8Array[]): string {
  return `\\x${Buffer.concat(chunks).toString('hex')}`
}

/** `count=planned` is the planner's guess; `count=estimated` is the exact count until it reaches `max-rows`. */
function estimatedTotal(
  { request, config }: Execution,
  found: ResultSet,
  estimate: StatementResult,
): { total?: number } {
  const planned = plannedRows(joinLines(estimate).toString())
  if (request.preferences.count === 'planned') return { total: planned }
  if (found.total === undefined) return { total: planned }
  return {
    total: config.maxRows !== undefined && found.total > config.maxRows ? Math.max(found.total, planned) : found.total,
  }
}

/** `explain` answers in lines (text) or in one cell (json). */
function joinLines(result: StatementResult): Buffer {
  return Buffer.from(result.rows.map((row) => row[0]?.toString() ?? '').join('\n'))
}
