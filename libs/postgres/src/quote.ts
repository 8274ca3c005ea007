/** An SQL identifier in double quotes. NUL can reach no statement, so it is dropped. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('\0', '').replaceAll('"', '""')}"`
}

/** `"schema"."name"`; the bare name when there is no schema (a name inside the statement). */
export function quoteQualified({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return schema === '' ? quoteName(name) : `${quoteName(schema)}.${quoteName(name)}`
}

/**
 * An SQL string literal; an escape string when a backslash is inside, so that no server setting changes its meaning.
 */
export function quoteLiteral(text: string): string {
  const doubled = text.replaceAll('\0', '').replaceAll("'", "''")
  return doubled.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}
