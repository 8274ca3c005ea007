import type { CompiledStatement } from '../compiled.ts'
import type { CallPlan } from '../plan/call-plan.ts'
import { carriedColumns } from '../plan/carried-columns.ts'
import type { BodyFormat } from '../plan/choose-media.ts'
import { rowsName } from '../plan/plan-mutation.ts'
import { createParameters } from './parameters.ts'
import type { Parameters } from './parameters.ts'
import { quoteName } from '@pando/postgres/quote'
import { writeBody } from './write-body.ts'
import { writeCall } from './write-call.ts'
import { writeCarried } from './write-carried.ts'
import type { FindComputed } from './write-carried.ts'
import { writeCells } from './write-cells.ts'
import { writeLimited } from './write-limit.ts'
import type { Answering } from './write-read-statement.ts'
import { writeReadText } from './write-read-statement.ts'

/** A call of a function. */
export function writeCallStatement(
  plan: CallPlan,
  answering: Answering,
  findComputed: FindComputed,
): CompiledStatement {
  const params = createParameters()
  const { result } = plan
  const text =
    result.kind === 'rows'
      ? `${writeCallRows(plan, findComputed, params)}${writeReadText(result.read, oneRow(answering, result.isSet), params)}`
      : writeCallValues(plan, answering, params)
  return { text, params: params.sources }
}

/** The rows of a call, under the name that the read on top of them uses. Postgres calls the function once. */
function writeCallRows(plan: CallPlan, findComputed: FindComputed, params: Parameters): string {
  if (plan.result.kind !== 'rows') return ''
  const { read, staysHere } = plan.result
  const alias = 'pando_call'
  const list = writeCarried({ ...carriedColumns(read), all: true }, { alias, relation: read.relation }, findComputed)
  const call = `select ${list} from ${writeCall(plan, params).from(quoteName(alias))}`
  // The catalogue is a table of the coordinator, so that Citus works out here what asks it.
  if (staysHere)
    return `with ${quoteName(rowsName)} as materialized (${call} where exists(select from pg_catalog.pg_am)) `
  return `with ${quoteName(rowsName)} as (${call}) `
}

/** A function that returns one row answers with an object. */
function oneRow(answering: Answering, isSet: boolean): Answering {
  if (isSet || answering.format.kind !== 'json') return answering
  return { ...answering, format: { ...answering.format, singular: true } }
}

const valueColumn = 'pgrst_scalar'

/** Nothing, one value, or a set of values as an array. */
function writeCallValues(plan: CallPlan, answering: Answering, params: Parameters): string {
  if (plan.result.kind === 'values' && plan.result.isSet) return writeCallSet(plan, answering, params)
  const { format, hasBody, total } = answering
  const body = hasBody && plan.result.kind === 'values' ? writeValue(format) : undefined
  // One value is one row already, but a format that aggregates rows makes Postgres want it counted.
  const count = body === undefined || format.kind === 'json' || format.kind === 'raw' ? '1' : 'count(*)'
  const cells = writeCells({ pageRows: count, body, ...(total && { total: count }) })
  return `select ${cells} from ${writeValueRow(plan, format, params)}`
}

/** One row `r` of one column. Where it is a function's bare value, `r.*` is that value too and no row. */
function writeValueRow(plan: CallPlan, format: BodyFormat, params: Parameters): string {
  const call = writeCall(plan, params)
  if (isRecord(plan)) return `(${call.select(valueColumn)}) as r`
  const value = call.from(`r(${valueColumn})`)
  return format.kind === 'csv' || format.kind === 'geojson' ? `(select r.${valueColumn} from ${value}) as r` : value
}

/** A record whose columns nobody declared can only be a value of a select list. */
function isRecord({ routine }: CallPlan): boolean {
  const { type } = routine.returns
  return type.kind !== 'void' && type.text === 'record'
}

/** Values have no columns to filter or order by, but can be paged. */
function writeCallSet(plan: CallPlan, { format, hasBody, total }: Answering, params: Parameters): string {
  const rows = quoteName(rowsName)
  const page = plan.result.kind === 'values' ? plan.result.limit : undefined
  const values = `select ${valueColumn} from ${rows}`
  const limited = page === undefined ? values : writeLimited(values, page, { params, isPage: true })
  const cells = writeCells({
    pageRows: 'count(*)',
    ...(hasBody && { body: writeSet(format) }),
    ...(total && { total: `(select count(*) from ${rows})` }),
  })
  const call = writeCall(plan, params).select(valueColumn)
  return `with ${rows} as (${call}) select ${cells} from (${limited}) as r`
}

function writeValue(format: BodyFormat): string {
  const value = `r.${valueColumn}`
  if (format.kind === 'raw') return value
  if (format.kind === 'json') return `coalesce(${strip(`to_json(${value})`, format)}, 'null')`
  return writeBody(format, [valueColumn])
}

function writeSet(format: BodyFormat): string {
  const value = `r.${valueColumn}`
  if (format.kind !== 'json') return writeBody(format, [valueColumn])
  if (format.singular) return `string_agg(to_json(${value})::text, ',')`
  return `coalesce(${strip(`json_agg(${value})`, format)}, '[]')`
}

function strip(json: string, { stripNulls }: Extract<BodyFormat, { kind: 'json' }>): string {
  return stripNulls ? `json_strip_nulls(${json})` : json
}
