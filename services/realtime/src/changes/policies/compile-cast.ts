import type { TypeCast } from 'libpg-query'
import { parseArray } from '../parse-array.ts'
import { type Compiled, toConstant, type Type } from './compiled.ts'
import { toName, toTypeName } from '@pando/catalogue/policies/syntax'
import {
  giveUp,
  type IntegerType,
  missing,
  type Scalar,
  toBoolean,
  toInteger,
  toRange,
  toUuid,
  type Value,
} from './values.ts'

const targets: Readonly<Record<string, Type>> = {
  text: 'text',
  varchar: 'text',
  uuid: 'uuid',
  bool: 'bool',
  int2: 'int',
  int4: 'int',
  int8: 'int',
}

/** Casts between text, uuid, boolean and the integers, and of arrays of texts. */
export function compileCast({ typeName }: TypeCast, operand: Compiled): Compiled | undefined {
  if (typeName === undefined) return undefined
  if (typeName.arrayBounds !== undefined) {
    const element = toName(typeName.names)?.replace(/^pg_catalog\./, '') ?? ''
    return typeName.typmods === undefined ? compileArrayCast(operand, element) : undefined
  }
  const name = toTypeName(typeName) ?? ''
  const type = targets[name]
  if (type === undefined) return undefined
  if (operand.type === 'null') return toConstant(type, null)
  const cast = toCast(operand.type, name)
  return cast === undefined ? undefined : { type, evaluate: (row, claims) => cast(operand.evaluate(row, claims)) }
}

type Cast = (value: Value) => Value

/** NULL and missing values stay what they are. */
const ofValue =
  <T extends Scalar>(cast: (value: T) => Scalar): Cast =>
  (value) =>
    value === null || value === missing ? value : cast(value as T)

const fromText: Readonly<Record<string, (text: string) => Scalar>> = {
  text: (text) => text,
  varchar: (text) => text,
  uuid: toUuid,
  bool: toBoolean,
  int2: (text) => toInteger(text, 'int2'),
  int4: (text) => toInteger(text, 'int4'),
  int8: (text) => toInteger(text, 'int8'),
}

function toCast(from: Type, name: string): Cast | undefined {
  const type = targets[name]
  const read = fromText[name]
  if ((from === 'text' || from === 'literal') && read !== undefined) return ofValue(read)
  if (type === 'text' && (from === 'uuid' || from === 'int' || from === 'bool')) return ofValue<Scalar>(String)
  if (type === 'int' && from === 'int') return ofValue<number | bigint>((value) => toRange(value, name as IntegerType))
  return type === from ? (value) => value : undefined
}

/** A list in quotes, `'{a,b}'::text[]`, and texts that only change their name. */
function compileArrayCast(operand: Compiled, element: string): Compiled | undefined {
  const type = targets[element]
  if (operand.type === 'text[]' && type === 'text') return operand
  if (operand.type !== 'literal' || type === undefined || type === 'null') return undefined
  const elements = parseArray(String(operand.evaluate([], { members: undefined })))
  const read = fromText[element] ?? giveUp
  if (elements === undefined || elements.some((each) => Array.isArray(each))) return undefined
  const values = elements.map((each) => (each === null ? null : read(each as string)))
  return toConstant(`${type}[]` as Type, values)
}
