import type { Relation } from '@pando/catalogue/catalogue'
import type { Part } from './swagger-types.ts'

const query = (name: string, description: string): Part => ({
  name,
  description,
  required: false,
  in: 'query',
  type: 'string',
})

const header = (name: string, description: string, more: Part = {}): Part => ({
  name,
  description,
  required: false,
  in: 'header',
  type: 'string',
  ...more,
})

const prefer = (...choices: readonly string[]): Part =>
  header('Prefer', 'Preference', { enum: choices.length === 0 ? undefined : choices })

const returnChoices = ['return=representation', 'return=minimal', 'return=none']
const resolutionChoices = ['resolution=ignore-duplicates', 'resolution=merge-duplicates']

const common: Part = {
  preferParams: prefer(),
  preferReturn: prefer(...returnChoices),
  preferCount: prefer('count=none'),
  preferPost: prefer(...returnChoices, ...resolutionChoices),
  select: query('select', 'Filtering Columns'),
  on_conflict: query('on_conflict', 'On Conflict'),
  order: query('order', 'Ordering'),
  range: header('Range', 'Limiting and Pagination'),
  rangeUnit: header('Range-Unit', 'Limiting and Pagination', { default: 'items' }),
  offset: query('offset', 'Limiting and Pagination'),
  limit: query('limit', 'Limiting and Pagination'),
}

/** The shared parameters, and for each relation its body and one filter a column. */
export function toParameters(relations: readonly Relation[]): Part {
  const parameters: Record<string, Part[string]> = { ...common }
  for (const relation of relations) {
    parameters[`body.${relation.name}`] = bodyOf(relation)
    for (const column of relation.columns.values()) {
      const filter = { name: column.name, description: column.comment, required: false, in: 'query', type: 'string' }
      parameters[filterName(relation, column.name)] = filter
    }
  }
  return parameters
}

function bodyOf({ name }: Relation): Part {
  return { name, description: name, required: false, in: 'body', schema: { $ref: `#/definitions/${name}` } }
}

export function filterName(relation: Relation, column: string): string {
  return `rowFilter.${relation.name}.${column}`
}

export function parameterRef(name: string): Part {
  return { $ref: `#/parameters/${name}` }
}
