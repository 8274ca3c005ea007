import type { StoredType } from './type-table.ts'
import type { ObjectId } from './view-columns.ts'

/** The rows of the statements in `statements.ts`, as their JSON is laid out there. */

export type TypeFact = readonly [
  oid: ObjectId,
  schema: string,
  name: string,
  text: string,
  kind: string,
  element: string | number,
  base: ObjectId,
  modifier: number,
  labels: readonly string[] | null,
  relation: readonly [schema: string, name: string] | null,
]

export type RelationFact = readonly [
  oid: ObjectId,
  schema: string,
  name: string,
  kind: 'r' | 'p' | 'v' | 'm' | 'f',
  comment: string | null,
  events: number,
  columns: readonly ColumnFact[],
]

export type ColumnFact = readonly [
  number: number,
  name: string,
  comment: string | null,
  isNotNull: boolean,
  type: ObjectId,
  modifier: number,
  textWithModifier: string | null,
  defaultText: string | null,
  identity: '' | 'a' | 'd',
  isGenerated: boolean,
  isUpdatable: boolean,
]

export type KeyFact = readonly [
  kind: 'p' | 'u' | 'f' | 'n',
  name: string,
  table: ObjectId,
  columns: readonly number[],
  referencedTable: ObjectId,
  referencedColumns: readonly number[] | null,
]

export type ViewFact = readonly [view: ObjectId, action: string]
export type NotNullFact = readonly [table: ObjectId, columns: readonly number[]]

export type RoutineFact = readonly [
  schema: string,
  name: string,
  comment: string | null,
  types: readonly ObjectId[],
  modes: readonly string[] | null,
  names: readonly string[] | null,
  defaults: number,
  isVariadic: boolean,
  result: ObjectId,
  isSet: boolean,
  rows: number,
  volatility: 'v' | 's' | 'i',
  settings: readonly string[] | null,
]

export type ComputedFact = readonly [schema: string, name: string, from: ObjectId, to: ObjectId, toOne: boolean]
export type RepresentationFact = readonly [from: string, to: string, schema: string, name: string]

export type HandlerFact = readonly [
  mediaType: string,
  schema: string,
  name: string,
  kind: 'aggregate' | 'function',
  relation: readonly [schema: string, name: string] | null,
  isBinary: boolean,
]

export type CompositeFact = readonly [
  schema: string,
  name: string,
  columns: readonly (readonly [name: string, type: ObjectId, textWithModifier: string | null])[],
]

export type ShardKeyFact = readonly [schema: string, name: string, column: string]

export function toStoredType(fact: TypeFact): StoredType {
  const [, schema, name, text, kind, element, base, modifier, labels, relation] = fact
  return {
    name: { schema, name },
    text,
    kind,
    element: String(element) === '0' ? undefined : String(element),
    base: base === '0' ? undefined : base,
    modifier,
    labels: labels ?? undefined,
    relation: relation === null ? undefined : { schema: relation[0], name: relation[1] },
  }
}
