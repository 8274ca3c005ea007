import type { Payload, PayloadColumn } from '../plan/mutate-plan.ts'
import type { Parameters } from './parameters.ts'
import { quoteLiteral, quoteName, quoteQualified } from '@pando/postgres/quote'

const bodyAlias = 'pando_json'

/**
 * The body as rows of the target's column types, for a `from` clause. The body is one parameter that Postgres parses
 * once; `json` keeps the text of json columns as it came and makes no tree of what is not asked for.
 */
export function writePayload(payload: Payload, params: Parameters): string {
  const { alias, shape, columns, fillsDefaults, asSet } = payload
  const body = params.add({ from: 'body' })
  const definition = columns.map(
    ({ column, fromJson }) => `${quoteName(column.name)} ${fromJson ? 'json' : column.type}`,
  )
  const row = `${quoteName(alias)}(${definition.join(', ')})`
  if (fillsDefaults && columns.some(hasDefault)) return writeElements(payload, body, row)
  if (shape === 'array') return `json_to_recordset(${body}::json) as ${row}`
  return asSet
    ? `json_to_recordset(json_build_array(${body}::json)) as ${row}`
    : `json_to_record(${body}::json) as ${row}`
}

/** Each element beside its row, so that a missing key can be told from a null. */
function writeElements({ shape, asSet }: Payload, body: string, row: string): string {
  const one = asSet ? `jsonb_array_elements(jsonb_build_array(${body}::jsonb))` : `(select ${body}::jsonb)`
  const elements = shape === 'array' ? `jsonb_array_elements(${body}::jsonb)` : one
  return `${elements} as ${quoteName(bodyAlias)}(element), jsonb_to_record(${quoteName(bodyAlias)}.element) as ${row}`
}

/** The value of a column of the payload. */
export function writePayloadValue({ alias, fillsDefaults }: Payload, each: PayloadColumn): string {
  const { column, fromJson } = each
  const plain = `${quoteName(alias)}.${quoteName(column.name)}`
  const value = fromJson === undefined ? plain : `${quoteQualified(fromJson)}(${plain})`
  if (!fillsDefaults || !hasDefault(each)) return value
  const isGiven = `jsonb_exists(${quoteName(bodyAlias)}.element, ${quoteLiteral(column.name)})`
  const fallback = `cast(${column.default} as ${column.type})`
  // As PostgREST, a sequence gives a number for every row of the payload, also for those that bring their own.
  if (column.default?.includes('nextval('))
    return `(array[${fallback}, ${value}])[case when ${isGiven} then 2 else 1 end]`
  return `case when ${isGiven} then ${value} else ${fallback} end`
}

function hasDefault({ column }: PayloadColumn): boolean {
  return column.default !== undefined && !column.generated
}
