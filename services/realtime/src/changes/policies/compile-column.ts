import type { ColumnRef } from 'libpg-query'
import { parseArray } from '../parse-array.ts'
import type { Compiled, Scope, ScalarType } from './compiled.ts'
import { toName } from '@pando/catalogue/policies/syntax'
import { giveUp, missing, readInteger, type Scalar } from './values.ts'

type Read = (text: string) => Scalar
const readText: Read = (text) => text
const readBoolean: Read = (text) => text === 't'

type ColumnType = { readonly type: ScalarType; readonly read: Read; readonly isArray: boolean }
const one = (type: ScalarType, read: Read): ColumnType => ({ type, read, isArray: false })
const many = (type: ScalarType, read: Read): ColumnType => ({ type, read, isArray: true })

/** By the type's oid. */
const columnTypes: Readonly<Record<number, ColumnType>> = {
  16: one('bool', readBoolean),
  20: one('int', readInteger),
  21: one('int', readInteger),
  23: one('int', readInteger),
  25: one('text', readText),
  1043: one('text', readText),
  2950: one('uuid', readText),
  1000: many('bool', readBoolean),
  1005: many('int', readInteger),
  1007: many('int', readInteger),
  1016: many('int', readInteger),
  1009: many('text', readText),
  1015: many('text', readText),
  2951: many('uuid', readText),
}

/** A column of the table itself, by its place in the log's rows. Texts that are equal without being the same are refused. */
export function compileColumn({ fields = [] }: ColumnRef, { facts, relation }: Scope): Compiled | undefined {
  const name = fields.length === 1 ? toName(fields) : undefined
  const column = facts.columns.find((each) => each.name === name)
  const found = columnTypes[column?.typeOid ?? 0]
  if (column === undefined || found === undefined || column.collation === 'other') return undefined
  const { type, read, isArray } = found
  const at = relation.columns.findIndex((each) => each.name === name && each.typeOid === column.typeOid)
  if (isArray) return { type: `${type}[]`, evaluate: (row) => ofText(row[at], (text) => readElements(text, read)) }
  return { type, evaluate: (row) => ofText(row[at], read) }
}

/** What the log did not send is missing, so is a column that it does not have. */
function ofText<T>(text: string | null | undefined, read: (text: string) => T): T | null | typeof missing {
  if (text === undefined) return missing
  return text === null ? null : read(text)
}

function readElements(text: string, read: Read): readonly (Scalar | null)[] {
  const elements = parseArray(text) ?? giveUp()
  return elements.flat(Infinity as 6).map((element) => (typeof element === 'string' ? read(element) : null))
}
