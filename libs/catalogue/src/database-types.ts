import type { Catalogue } from './catalogue.ts'
import { helperTypes } from './database-types-helpers.ts'
import { renderFunctions } from './function-types.ts'
import { compareTexts } from './relationship-order.ts'
import { renderTables, renderViews } from './relation-types.ts'
import {
  createTypeScope,
  indent,
  objectType,
  orNull,
  property,
  quote,
  typescriptType,
  unionOf,
} from './typescript-type.ts'
import type { TypeScope } from './typescript-type.ts'

/** The version of the wire that the client libraries derive types by. */
const wireVersion = '14.12'

/**
 * The text of a TypeScript module with the type `Database` for `createClient<Database>()`, in the shape that client
 * libraries and existing applications expect. Columns of views are not null where their query proves it.
 */
export function renderDatabaseTypes(catalogue: Catalogue, options: { readonly schemas: readonly string[] }): string {
  const schemas = options.schemas.toSorted(compareTexts)
  const scope = createTypeScope(catalogue, schemas)
  const defaultSchema = schemas.includes('public') ? 'public' : (options.schemas[0] ?? 'public')
  return [
    jsonType,
    `export type Database = ${objectType([
      `// Tells createClient which version of the wire to derive types by`,
      `__InternalSupabase: ${objectType([`PostgrestVersion: ${quote(wireVersion)}`])}`,
      ...schemas.map((schema) => `${property(schema)}: ${renderSchema(scope, schema)}`),
    ])}`,
    helperTypes(defaultSchema),
    renderConstants(scope),
  ].join('\n\n')
}

const jsonType = `export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]`

function renderSchema(scope: TypeScope, schema: string): string {
  return objectType([
    `Tables: ${objectType(renderTables(scope, schema))}`,
    `Views: ${objectType(renderViews(scope, schema))}`,
    `Functions: ${objectType(renderFunctions(scope, schema))}`,
    `Enums: ${objectType(enumsOf(scope, schema).map(({ name, labels }) => `${property(name)}: ${unionOf(labels)}`))}`,
    `CompositeTypes: ${objectType(renderCompositeTypes(scope, schema))}`,
  ])
}

function enumsOf(scope: TypeScope, schema: string) {
  const enums = scope.catalogue.enums.filter((type) => type.schema === schema)
  return enums.toSorted((a, b) => compareTexts(a.name, b.name))
}

function renderCompositeTypes(scope: TypeScope, schema: string): string[] {
  const types = scope.catalogue.compositeTypes.filter((type) => type.schema === schema)
  return types
    .toSorted((a, b) => compareTexts(a.name, b.name))
    .map(({ name, columns }) => {
      const members = columns.map((column) => `${property(column.name)}: ${orNull(typescriptType(scope, column))}`)
      return `${property(name)}: ${objectType(members)}`
    })
}

/** The labels of enums as values, for lists and checks in an application. */
function renderConstants(scope: TypeScope): string {
  const schemas = [...scope.schemas].map((schema) => {
    const enums = enumsOf(scope, schema).map(
      ({ name, labels }) => `${property(name)}: [${labels.map(quote).join(', ')}],`,
    )
    return `${property(schema)}: {\n  Enums: ${enums.length === 0 ? '{}' : indent(`{\n${indent(enums.join('\n'))}\n}`).trimStart()},\n},`
  })
  return `export const Constants = {\n${indent(schemas.join('\n'))}\n} as const\n`
}
