import { errors } from '../errors.ts'

const typeShape = /^[a-z_][a-z0-9_]*(?: [a-z_][a-z0-9_]*)*(?: ?\( ?\d+ ?(?:, ?\d+ ?)?\)(?: [a-z ]+)?)?(?:\[\d*\])*$/i

/**
 * The type of a cast that a caller wrote: words, a length, brackets; nothing that could end the expression. PGRST100.
 */
export function typeName(text: string): string {
  if (!typeShape.test(text)) throw errors.query(`"failed to parse select parameter (${text})"`, 'unexpected type name')
  return text
}
