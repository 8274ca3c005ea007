import type { RoutineParameter } from '@pando/catalogue/catalogue'
import type { CallInput, CallPlan } from '../plan/call-plan.ts'
import type { Parameters } from './parameters.ts'
import { quoteName, quoteQualified } from '@pando/postgres/quote'

const argumentsAlias = 'pando_arguments'

/** A call as an item of a `from` clause, or as the value of a select. */
export type WrittenCall = {
  readonly from: (alias: string) => string
  readonly select: (column: string) => string
}

/**
 * Arguments are cast to the parameters' types, so that overloads which differ in defaults alone stay apart, and a
 * function in SQL can be inlined with the filters on its rows.
 */
export function writeCall({ routine, input }: CallPlan, params: Parameters): WrittenCall {
  const { source, list } = writeArguments(input, params)
  const call = `${quoteQualified(routine)}(${list})`
  return {
    from: (alias) => `${source === undefined ? '' : `${source}, `}${call} as ${alias}`,
    select: (column) => `select ${call} as ${column}${source === undefined ? '' : ` from ${source}`}`,
  }
}

/** The arguments, and the rows that they are taken from. */
type WrittenArguments = { readonly source?: string; readonly list: string }

function writeArguments(input: CallInput, params: Parameters): WrittenArguments {
  switch (input.kind) {
    case 'body':
      return {
        list: `${params.add(input.type === 'bytea' ? { from: 'body', as: 'bytea' } : { from: 'body' })}::${input.type}`,
      }
    case 'slots':
      return { list: input.arguments.map((each) => writeSlots(each, params)).join(', ') }
    case 'object':
      return writeObject(input, params)
  }
}

type SlotArgument = Extract<CallInput, { kind: 'slots' }>['arguments'][number]

function writeSlots({ parameter, slots }: SlotArgument, params: Parameters): string {
  const values = slots.map((slot) => params.add({ from: 'slot', slot }))
  const value = parameter.isVariadic ? `array[${values.join(', ')}]` : (values[0] ?? 'null')
  return named(parameter, `${value}::${argumentType(parameter)}`)
}

function named({ name, isVariadic }: RoutineParameter, value: string): string {
  return `${isVariadic ? 'variadic ' : ''}${quoteName(name)} => ${value}`
}

/** Only the first object of an array is taken. */
function writeObject(
  { parameters, isArray, isForm }: Extract<CallInput, { kind: 'object' }>,
  params: Parameters,
): WrittenArguments {
  if (parameters.length === 0) return { list: '' }
  const isSpread = (each: RoutineParameter): boolean => isForm && each.isVariadic
  const definition = parameters
    .map((each) => `${quoteName(each.name)} ${isSpread(each) ? 'json' : argumentType(each)}`)
    .join(', ')
  const body = params.add({ from: 'body' })
  const alias = quoteName(argumentsAlias)
  const record = isArray
    ? `(select * from json_to_recordset(${body}::json) as a(${definition}) limit 1) as ${alias}`
    : `json_to_record(${body}::json) as ${alias}(${definition})`
  const list = parameters.map((each) => {
    const value = `${alias}.${quoteName(each.name)}`
    return named(each, isSpread(each) ? writeSpreadValue(value, argumentType(each)) : value)
  })
  return { source: record, list: list.join(', ') }
}

/** One value or an array of them, as an array. */
function writeSpreadValue(value: string, type: string): string {
  const array = `case json_typeof(${value}) when 'array' then ${value} else json_build_array(${value}) end`
  return `array(select json_array_elements_text(${array}))::${type}`
}

/** Without their length `character` and `bit` would mean one character and one bit. */
const widened: Readonly<Record<string, string>> = { character: 'bpchar', bit: 'varbit' }

function argumentType({ type }: RoutineParameter): string {
  const [, name = type, brackets = ''] = /^(.*?)((?:\[\])*)$/.exec(type) ?? []
  return `${widened[name] ?? name}${brackets}`
}
