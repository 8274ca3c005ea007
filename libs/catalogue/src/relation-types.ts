import { nameKey } from './catalogue.ts'
import type { Column, Relation, Relationship, Routine } from './catalogue.ts'
import { compareTexts } from './relationship-order.ts'
import { takesOneRow } from './routines.ts'
import {
  isViewKind,
  objectType,
  orNull,
  property,
  quote,
  tupleType,
  typescriptType,
  unionOf,
} from './typescript-type.ts'
import type { TypeScope } from './typescript-type.ts'

/** The members of `Tables`: name and type. */
export function renderTables(scope: TypeScope, schema: string): string[] {
  return relationsOf(scope, schema, false).map((relation) => {
    const members = [
      `Row: ${renderRow(scope, relation)}`,
      `Insert: ${objectType(columnsOf(relation).map((column) => insertMember(scope, column)))}`,
      `Update: ${objectType(columnsOf(relation).map((column) => updateMember(scope, column)))}`,
    ]
    return `${property(relation.name)}: ${objectType([...members, ...renderRest(scope, relation)])}`
  })
}

/** The members of `Views`; what cannot be written has no `Insert` or `Update`. */
export function renderViews(scope: TypeScope, schema: string): string[] {
  return relationsOf(scope, schema, true).map((relation) => {
    const written = objectType(columnsOf(relation).map((column) => viewMember(scope, column, relation.updatable)))
    const members = [
      `Row: ${renderRow(scope, relation)}`,
      ...(relation.insertable ? [`Insert: ${written}`] : []),
      ...(relation.updatable ? [`Update: ${written}`] : []),
    ]
    return `${property(relation.name)}: ${objectType([...members, ...renderRest(scope, relation)])}`
  })
}

function relationsOf(scope: TypeScope, schema: string, areViews: boolean): Relation[] {
  return [...scope.catalogue.relations.values()]
    .filter((relation) => relation.schema === schema && isViewKind(relation.kind) === areViews)
    .toSorted((a, b) => compareTexts(a.name, b.name))
}

const columnsOf = (relation: Relation): Column[] =>
  [...relation.columns.values()].toSorted((a, b) => compareTexts(a.name, b.name))

/** The members of a relation's row, without what functions compute. */
export function rowMembers(scope: TypeScope, relation: Relation): string[] {
  return columnsOf(relation).map((column) => {
    const type = typescriptType(scope, column)
    const neverNull = column.neverNull ?? !column.nullable
    return `${property(column.name)}: ${neverNull ? type : orNull(type)}`
  })
}

function renderRow(scope: TypeScope, relation: Relation): string {
  const computed = computedFields(scope, relation).map(
    ({ name, type }) => `${property(name)}: ${orNull(typescriptType(scope, type))}`,
  )
  return objectType([...rowMembers(scope, relation), ...computed])
}

type ComputedField = { readonly name: string; readonly type: Parameters<typeof typescriptType>[1] }

/** Functions of one row that give one value: they are selected like columns. */
function computedFields(scope: TypeScope, relation: Relation): ComputedField[] {
  return allFunctions(scope, relation.schema)
    .filter((one) => takesOneRow(one) && nameKey(one.parameters[0]?.relation ?? one) === nameKey(relation))
    .flatMap(({ name, returns: { isSet, type } }) =>
      isSet || type.kind !== 'scalar' ? [] : [{ name, type: { typeName: type.name, isArray: type.isArray } }],
    )
    .filter(({ name }) => !relation.columns.has(name))
    .toSorted((a, b) => compareTexts(a.name, b.name))
}

/** The functions of a schema, those that only a row can call included. */
export function allFunctions({ catalogue }: TypeScope, schema: string): Routine[] {
  const routines = [...catalogue.routines.values()].flat()
  return [...routines, ...(catalogue.rowFunctions ?? [])].filter((one) => one.schema === schema)
}

function insertMember(scope: TypeScope, column: Column): string {
  if (isNeverWritten(column)) return `${property(column.name)}?: never`
  const isOptional = column.nullable || column.default !== undefined || column.identity !== undefined
  const type = typescriptType(scope, column)
  return `${property(column.name)}${isOptional ? '?' : ''}: ${column.nullable ? orNull(type) : type}`
}

function updateMember(scope: TypeScope, column: Column): string {
  if (isNeverWritten(column)) return `${property(column.name)}?: never`
  const type = typescriptType(scope, column)
  return `${property(column.name)}?: ${column.nullable ? orNull(type) : type}`
}

const isNeverWritten = (column: Column): boolean => column.generated || column.identity === 'always'

/** An insert by a trigger takes any column. */
function viewMember(scope: TypeScope, column: Column, isUpdatable: boolean): string {
  const isWritable = column.updatable || !isUpdatable
  return `${property(column.name)}?: ${isWritable ? orNull(typescriptType(scope, column)) : 'never'}`
}

function renderRest(scope: TypeScope, relation: Relation): string[] {
  const computed = computedFields(scope, relation).map(({ name }) => name)
  return [
    ...(computed.length === 0 ? [] : [`ComputedFields: ${unionOf(computed)}`]),
    `Relationships: ${tupleType(relationshipsOf(scope, relation).map(renderRelationship))}`,
  ]
}

/** The foreign keys of a relation, once for each relation that they reach in the rendered schemas. */
function relationshipsOf(scope: TypeScope, relation: Relation): Relationship[] {
  const all = scope.catalogue.relationships.get(nameKey(relation)) ?? []
  const own = all.filter(({ to, via }) => 'keyInFrom' in via && via.keyInFrom && scope.schemas.has(to.schema))
  const orderOf = ({ to, via }: Relationship) => `${'constraint' in via ? via.constraint : ''}\0${to.name}`
  return own.toSorted((a, b) => compareTexts(orderOf(a), orderOf(b)))
}

function renderRelationship({ to, via }: Relationship): string {
  if (!('constraint' in via)) return 'never'
  const list = (names: readonly string[]) => `[${names.map(quote).join(', ')}]`
  return objectType([
    `foreignKeyName: ${quote(via.constraint)}`,
    `columns: ${list(via.columns.map(([from]) => from))}`,
    `isOneToOne: ${via.kind === 'one-to-one'}`,
    `referencedRelation: ${quote(to.name)}`,
    `referencedColumns: ${list(via.columns.map(([, referenced]) => referenced))}`,
  ])
}
