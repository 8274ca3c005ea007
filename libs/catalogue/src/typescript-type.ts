import { nameKey } from './catalogue.ts'
import type { Catalogue, CompositeType, EnumType, QualifiedName } from './catalogue.ts'

/** What the types of columns and parameters are written in terms of. */
export type TypeScope = {
  readonly catalogue: Catalogue
  readonly schemas: ReadonlySet<string>
  readonly enums: ReadonlyMap<string, EnumType>
  readonly compositeTypes: ReadonlyMap<string, CompositeType>
}

export function createTypeScope(catalogue: Catalogue, schemas: readonly string[]): TypeScope {
  return {
    catalogue,
    schemas: new Set(schemas),
    enums: new Map(catalogue.enums.map((type) => [nameKey(type), type])),
    compositeTypes: new Map(catalogue.compositeTypes.map((type) => [nameKey(type), type])),
  }
}

/** How a value of PostgreSQL's own types arrives in JSON; `citext` and `vector` come from extensions. */
const builtIn: ReadonlyMap<string, string> = new Map([
  ['bool', 'boolean'],
  ...['int2', 'int4', 'int8', 'float4', 'float8', 'numeric'].map((name) => [name, 'number'] as const),
  ...['bytea', 'bpchar', 'varchar', 'text', 'citext', 'uuid', 'name', 'xml', 'vector'].map(toStringType),
  ...['date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval'].map(toStringType),
  ['json', 'Json'],
  ['jsonb', 'Json'],
  ['void', 'undefined'],
  ['record', 'Record<string, unknown>'],
])

function toStringType(name: string): readonly [string, string] {
  return [name, 'string']
}

export type TypeReference = { readonly typeName: QualifiedName; readonly isArray?: boolean }

/** The TypeScript type of a value; `unknown` for what has no plain shape in JSON (ranges, geometry, …). */
export function typescriptType(scope: TypeScope, { typeName, isArray }: TypeReference): string {
  const element = elementType(scope, typeName)
  if (isArray !== true) return element
  return element.includes(' ') ? `(${element})[]` : `${element}[]`
}

function elementType(scope: TypeScope, name: QualifiedName): string {
  const key = nameKey(name)
  const labels = scope.enums.get(key)?.labels
  if (labels !== undefined) return scope.schemas.has(name.schema) ? reference(name, 'Enums') : unionOf(labels)
  if (scope.compositeTypes.has(key))
    return scope.schemas.has(name.schema) ? reference(name, 'CompositeTypes') : 'unknown'
  if (scope.catalogue.relations.has(key)) return rowReference(scope, name)
  return builtIn.get(name.name) ?? 'unknown'
}

/** The row type of a relation by its place in `Database`. */
export function rowReference(scope: TypeScope, name: QualifiedName): string {
  const relation = scope.catalogue.relations.get(nameKey(name))
  if (relation === undefined || !scope.schemas.has(name.schema)) return 'Record<string, unknown>'
  return `${reference(name, isViewKind(relation.kind) ? 'Views' : 'Tables')}["Row"]`
}

export const isViewKind = (kind: string): boolean => kind === 'view' || kind === 'materialized view'

const reference = ({ schema, name }: QualifiedName, kind: string): string =>
  `Database[${quote(schema)}]["${kind}"][${quote(name)}]`

export const unionOf = (labels: readonly string[]): string => labels.map(quote).join(' | ') || 'never'

/** A string literal. */
export const quote = (text: string): string => JSON.stringify(text)

/** A property name, quoted where it has to be. */
export const property = (name: string): string =>
  /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name) ? name : quote(name)

/** The type or null; `unknown` holds null already. */
export const orNull = (type: string): string => (type === 'unknown' ? type : `${type} | null`)

/** An object type with a member per line; without members one that has none. */
export function objectType(members: readonly string[]): string {
  const lines = members.length === 0 ? ['[_ in never]: never'] : members
  return `{\n${indent(lines.join('\n'))}\n}`
}

/** A tuple type with an item per line. */
export function tupleType(items: readonly string[]): string {
  return items.length === 0 ? '[]' : `[\n${indent(items.map((item) => `${item},`).join('\n'))}\n]`
}

export const indent = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ')
