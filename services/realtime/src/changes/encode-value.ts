import type { TypeFacts } from './facts.ts'
import { type ArrayElement, parseArray } from './parse-array.ts'
import { parseRow } from './parse-row.ts'

/** Makes JSON text of a value as Postgres prints it. */
export type EncodeValue = (value: string) => string

const encodeText: EncodeValue = (value) => JSON.stringify(value)
/** NaN and Infinity are no JSON numbers; Postgres' to_jsonb makes texts of them too. */
const encodeNumber: EncodeValue = (value) => (/^-?\d/.test(value) ? value : JSON.stringify(value))
const encodeBoolean: EncodeValue = (value) => (value === 't' ? 'true' : 'false')
const encodeJson: EncodeValue = (value) => value
/** Hexadecimal digits alone, as the SDKs know it. */
const encodeBytes: EncodeValue = (value) => JSON.stringify(value.startsWith('\\x') ? value.slice(2) : value)
const encodeTimestamp: EncodeValue = (value) => JSON.stringify(value.replace(' ', 'T'))
const encodeZoned: EncodeValue = (value) =>
  JSON.stringify(value.replace(' ', 'T').replace(/([+-]\d\d)(?=$| BC$)/, '$1:00'))

const scalars: Readonly<Record<number, EncodeValue>> = {
  16: encodeBoolean,
  17: encodeBytes,
  20: encodeNumber,
  21: encodeNumber,
  23: encodeNumber,
  114: encodeJson,
  700: encodeNumber,
  701: encodeNumber,
  1114: encodeTimestamp,
  1184: encodeZoned,
  1700: encodeNumber,
  3802: encodeJson,
}

/**
 * How values of a type become JSON, as Postgres' to_jsonb does: numbers, booleans and JSON as they are, arrays and rows
 * with their members, times with `T`, everything else as text. Bytes are hexadecimal digits without `\x`.
 */
export function toEncoder(oid: number, types: ReadonlyMap<number, TypeFacts>): EncodeValue {
  const scalar = scalars[oid]
  if (scalar !== undefined) return scalar
  const type = types.get(oid)
  if (type === undefined) return encodeText
  if (type.kind === 'd') return toEncoder(type.base, types)
  if (type.kind === 'c') return toRowEncoder(type, types)
  return type.element === 0 ? encodeText : toArrayEncoder(type, types)
}

function toArrayEncoder({ element }: TypeFacts, types: ReadonlyMap<number, TypeFacts>): EncodeValue {
  const encodeElement = toInnerEncoder(element, types)
  const encode = (value: ArrayElement): string =>
    value === null ? 'null' : typeof value === 'string' ? encodeElement(value) : `[${value.map(encode).join(',')}]`
  const delimiter = types.get(element)?.delimiter ?? ','
  return (value) => {
    const elements = parseArray(value, delimiter)
    return elements === undefined ? encodeText(value) : encode(elements)
  }
}

function toRowEncoder({ fields }: TypeFacts, types: ReadonlyMap<number, TypeFacts>): EncodeValue {
  const members = fields.map(([name, oid]) => ({ name: JSON.stringify(name), encode: toInnerEncoder(oid, types) }))
  return (value) => {
    const values = parseRow(value)
    if (values?.length !== members.length) return encodeText(value)
    const pairs = members.map(({ name, encode }, at) => `${name}:${values[at] === null ? 'null' : encode(values[at]!)}`)
    return `{${pairs.join(',')}}`
  }
}

/** Inside of arrays and rows bytes keep their `\x`. */
function toInnerEncoder(oid: number, types: ReadonlyMap<number, TypeFacts>): EncodeValue {
  return oid === 17 ? encodeText : toEncoder(oid, types)
}
