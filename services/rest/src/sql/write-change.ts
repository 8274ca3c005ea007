import type { Delete, Insert, MutatePlan, Update } from '../plan/mutate-plan.ts'
import type { Parameters } from './parameters.ts'
import { quoteName, quoteQualified } from '@pando/postgres/quote'
import { writeFilter } from './write-filter.ts'
import { writePayload, writePayloadValue } from './write-payload.ts'

/** Counts, for the transaction, the rows that an upsert found instead of inserting. */
export const updatedSetting = 'pando.updated_rows'

/** The data-changing statement, without its `returning`. Undefined when nothing can change. */
export function writeChange(plan: MutatePlan, params: Parameters): string | undefined {
  switch (plan.change.kind) {
    case 'insert':
      return writeInsert(plan, plan.change, params)
    case 'update':
      return writeUpdate(plan, plan.change, params)
    case 'delete':
      return `delete from ${target(plan)}${writeWhere(plan.change.filters, params)}`
  }
}

function target({ relation, alias }: MutatePlan): string {
  return `${quoteQualified(relation)} as ${quoteName(alias)}`
}

function writeWhere(filters: Delete['filters'], params: Parameters): string {
  if (filters.length === 0) return ''
  return ` where ${filters.map((filter) => writeFilter(filter, params, neverEmbedded)).join(' and ')}`
}

function neverEmbedded(): never {
  throw new Error('A filter on an embedded resource cannot choose the rows of a mutation.')
}

function writeInsert(plan: MutatePlan, { payload, conflict, filters }: Insert, params: Parameters): string {
  const into = `insert into ${target(plan)}`
  const names = payload.columns.map(({ column }) => quoteName(column.name))
  const onConflict = conflict === undefined ? '' : writeConflict(conflict, names)
  if (names.length === 0) return `${into} ${writeDefaults(payload.shape, params)}${onConflict}`
  const values = payload.columns.map((each) => writePayloadValue(payload, each))
  const rows = `select ${values.join(', ')} from ${writePayload(payload, params)}${writeWhere(filters, params)}`
  return `${into} (${names.join(', ')}) ${rows}${onConflict}`
}

/** Rows of nothing but defaults: one, or as many as the array has elements. */
function writeDefaults(shape: 'object' | 'array', params: Parameters): string {
  if (shape === 'object') return 'default values'
  return `select from json_array_elements(${params.add({ from: 'body' })}::json)`
}

function writeConflict(
  { columns, resolution, counting }: NonNullable<Insert['conflict']>,
  names: readonly string[],
): string {
  const on = ` on conflict (${columns.map(quoteName).join(', ')})`
  if (resolution === 'ignore' || names.length === 0) return `${on} do nothing`
  const update = `${on} do update set ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`
  if (counting !== 'setting') return update
  const counted = `coalesce(nullif(current_setting('${updatedSetting}', true), ''), '0')::int + 1`
  return `${update} where set_config('${updatedSetting}', (${counted})::text, true) is not null`
}

/** Of an array the first element counts. */
function writeUpdate(plan: MutatePlan, { payload, filters, keptKey }: Update, params: Parameters): string | undefined {
  if (payload.columns.length === 0) return undefined
  const names = payload.columns.map(({ column }) => quoteName(column.name))
  const values = payload.columns.map((each) => writePayloadValue(payload, each))
  const alias = quoteName(payload.alias)
  const rows = `select ${values.map((value, index) => `${value} as ${names[index]}`).join(', ')} from ${writePayload(payload, params)}`
  const source = payload.shape === 'array' ? `(${rows} limit 1)` : `(${rows})`
  const kept = keptKey && quoteName(keptKey.column)
  const from = (name: string): string => (name === kept ? quoteName(plan.alias) : alias)
  const assignments = names.map((name) => `${name} = ${from(name)}.${name}`).join(', ')
  return `update ${target(plan)} set ${assignments} from ${source} as ${alias}${writeWhere(filters, params)}`
}
