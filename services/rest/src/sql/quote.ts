import { errors } from '../errors.ts'
import type { QualifiedName } from '@pando/catalogue/catalogue'

/** An SQL identifier in double quotes. NUL can reach no statement, so it is dropped. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('\0', '').replaceAll('"', '""')}"`
}

/** `"schema"."name"`; the bare name when there is no schema (a name inside the statement). */
export function quoteQualified(name: QualifiedName): string {
  return name.schema === '' ? quoteName(name.name) : `${quoteName(name.schema)}.${quoteName(name.name)}`
}

/**
 * An SQL string literal; an escape string when a backslash is inside, so that no server setting changes its meaning.
 */
export function quoteLiteral(text: string): string {
  const doubled = text.replaceAll('\0', '').replaceAll("'", "''")
  return doubled.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}

const typeShape = /^[a-z_][a-z0-9_]*(?: [a-z_][a-z0-9_]*)*(?: ?\( ?\d+ ?(?:, ?\d+ ?)?\)(?: [a-z ]+)?)?(?:\[\d*\])*$/i

/**
 * The type of a cast that a caller wrote: words, a length, brackets; nothing that could end the expression. PGRST100.
 */
export function typeName(text: string): string {
  if (!typeShape.test(text)) throw errors.query(`"failed to parse select parameter (${text})"`, 'unexpected type name')
  return text
}
