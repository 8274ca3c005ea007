import { nameKey, type QualifiedName } from '@pando/catalogue/catalogue'
import { escapeIdentifier } from 'pg'

/** As people write it: without the schema `public`. */
export const shownName = ({ schema, name }: QualifiedName): string => (schema === 'public' ? name : `${schema}.${name}`)

/** As SQL wants it. */
export const quotedName = ({ schema, name }: QualifiedName): string =>
  `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`

/** Reads `name` (of `public`) or `schema.name`. */
export function parseName(text: string): QualifiedName {
  const at = text.indexOf('.')
  return at === -1 ? { schema: 'public', name: text } : { schema: text.slice(0, at), name: text.slice(at + 1) }
}

export const isSame = (left: QualifiedName, right: QualifiedName): boolean => nameKey(left) === nameKey(right)
