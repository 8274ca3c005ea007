/** Reads the text that Postgres prints for a row type (manual, 8.16.6): `(1,"a b",)`. Undefined for any other text. */
export function parseRow(text: string): readonly (string | null)[] | undefined {
  if (!text.startsWith('(') || !text.endsWith(')')) return undefined
  if (text === '()') return []
  const fields: (string | null)[] = []
  let value: string | null = null
  let isQuoted = false
  for (let at = 1; at < text.length; at += 1) {
    const character = text[at]!
    if (!isQuoted && (character === ',' || at === text.length - 1)) {
      fields.push(value)
      value = null
    } else if (character === '"') {
      // A doubled quote inside of quotes is one.
      if (isQuoted && text[at + 1] === '"') value += text[(at += 1)]!
      else {
        isQuoted = !isQuoted
        value ??= ''
      }
    } else value = (value ?? '') + (character === '\\' ? (text[(at += 1)] ?? '') : character)
  }
  return isQuoted ? undefined : fields
}
