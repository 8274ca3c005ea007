/** A JSON object of the OpenAPI 2.0 document; members that are undefined are left out when it is written. */
export type Part = { readonly [member: string]: Part | Value | readonly (Part | Value)[] }
type Value = string | number | boolean | null | undefined

type SwaggerType = 'string' | 'boolean' | 'integer' | 'number' | 'array'

const types: ReadonlyMap<string, SwaggerType | undefined> = new Map<string, SwaggerType | undefined>([
  ['boolean', 'boolean'],
  ['smallint', 'integer'],
  ['integer', 'integer'],
  ['bigint', 'integer'],
  ['numeric', 'number'],
  ['real', 'number'],
  ['double precision', 'number'],
  ['json', undefined],
  ['jsonb', undefined],
])

/** The OpenAPI type of a Postgres type without length; undefined when values may be anything. */
export function swaggerType(type: string): SwaggerType | undefined {
  if (types.has(type)) return types.get(type)
  return type.endsWith('[]') ? 'array' : 'string'
}

const formats: ReadonlyMap<string, string> = new Map([
  ['smallint', 'int32'],
  ['integer', 'int32'],
  ['bigint', 'int64'],
  // The catalogue's spellings without a length.
  ['bpchar', 'character'],
  ['bpchar[]', 'character[]'],
  ['"bit"', 'bit'],
  ['"bit"[]', 'bit[]'],
])

/** The name of the Postgres type, except that integers are named by their width. */
export function swaggerFormat(type: string): string {
  return formats.get(type) ?? type
}

export function elementType(type: string): string {
  return type.slice(0, -2)
}

/** `items` of an array type, undefined for others. */
export function swaggerItems(type: string): Part | undefined {
  return swaggerType(type) === 'array' ? { type: swaggerType(elementType(type)) } : undefined
}

/** A comment's first line is the summary, the rest the description. */
export function splitComment(comment: string | undefined): { summary?: string; description?: string } {
  if (comment === undefined) return {}
  const end = comment.indexOf('\n')
  if (end === -1) return { summary: comment }
  const rest = comment.slice(end).replace(/^\n+/, '')
  return { summary: comment.slice(0, end), description: rest === '' ? undefined : rest }
}
