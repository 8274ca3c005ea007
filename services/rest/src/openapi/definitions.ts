import type { Catalogue, Column, Relation } from '@pando/catalogue/catalogue'
import type { Part } from './swagger-types.ts'
import { nameKey } from '@pando/catalogue/catalogue'
import { swaggerFormat, swaggerItems, swaggerType } from './swagger-types.ts'

/** One relation as an object schema, with the notes on keys that generators of clients read. */
export function toDefinition(catalogue: Catalogue, relation: Relation): Part {
  const columns = [...relation.columns.values()]
  return {
    description: relation.comment,
    required: columns.filter((column) => !column.nullable).map((column) => column.name),
    properties: Object.fromEntries(columns.map((column) => [column.name, toProperty(catalogue, relation, column)])),
    type: 'object',
  }
}

function toProperty(catalogue: Catalogue, relation: Relation, column: Column): Part {
  const type = column.baseType
  return {
    default: toDefault(column),
    description: describe(column, [primaryKeyNote(relation, column), foreignKeyNote(catalogue, relation, column)]),
    enum: column.isArray ? undefined : column.enumLabels,
    format: swaggerFormat(type),
    items: swaggerItems(type),
    maxLength: column.maxLength,
    type: swaggerType(type),
  }
}

function describe(column: Column, notes: readonly (string | undefined)[]): string | undefined {
  const written = notes.filter((note) => note !== undefined)
  if (written.length === 0) return column.comment
  const comment = column.comment === undefined ? '' : `${column.comment}\n\n`
  return `${comment}${['Note:', ...written].join('\n')}`
}

function primaryKeyNote(relation: Relation, column: Column): string | undefined {
  return relation.primaryKey.includes(column.name) ? 'This is a Primary Key.<pk/>' : undefined
}

/** The first relationship whose key is this column alone; those of tables stand in front of those of views. */
function foreignKeyNote(catalogue: Catalogue, relation: Relation, column: Column): string | undefined {
  for (const { via, to } of catalogue.relationships.get(nameKey(relation)) ?? []) {
    if (via.kind !== 'many-to-one' && !(via.kind === 'one-to-one' && via.keyInFrom)) continue
    const [pair, ...others] = via.columns
    if (pair === undefined || others.length > 0 || pair[0] !== column.name) continue
    return `This is a Foreign Key to \`${to.name}.${pair[1]}\`.<fk table='${to.name}' column='${pair[1]}'/>`
  }
  return undefined
}

/** The default as a value when its text is one: expressions are left out, except as the text of a string column. */
function toDefault(column: Column): Part[string] {
  if (column.default === undefined || column.identity !== undefined || column.generated) return undefined
  if (swaggerType(column.baseType) !== 'string') return parseValue(column.default)
  const cast = `::${column.baseType}`
  if (!column.default.endsWith(cast)) return column.default
  return column.default.slice(0, -cast.length).replace(/^'+|'+$/g, '')
}

function parseValue(text: string): Part[string] {
  try {
    return JSON.parse(text) as Part[string]
  } catch {
    return undefined
  }
}
