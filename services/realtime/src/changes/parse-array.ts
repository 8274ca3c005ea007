/** Elements of a Postgres array: texts, NULLs, and arrays of them. */
export type ArrayElement = string | null | readonly ArrayElement[]

/**
 * Reads the text that Postgres prints for an array (manual, 8.15.6), bounds like `[2:3]=` left aside. Undefined for any
 * other text: also for what Postgres would read but not print, blanks around elements for example.
 */
export function parseArray(text: string, delimiter = ','): readonly ArrayElement[] | undefined {
  const start = text.startsWith('[') ? text.indexOf('=') + 1 : 0
  const reader = { text, at: start, delimiter }
  const elements = readList(reader)
  return reader.at === text.length ? elements : undefined
}

type Reader = { readonly text: string; at: number; readonly delimiter: string }

function readList(reader: Reader): readonly ArrayElement[] | undefined {
  const { text, delimiter } = reader
  if (text[reader.at] !== '{') return undefined
  reader.at += 1
  const elements: ArrayElement[] = []
  if (text[reader.at] === '}') {
    reader.at += 1
    return elements
  }
  for (;;) {
    const element = readElement(reader)
    if (element === undefined) return undefined
    elements.push(element)
    const next = text[reader.at]
    reader.at += 1
    if (next === '}') return elements
    if (next !== delimiter) return undefined
  }
}

function readElement(reader: Reader): ArrayElement | undefined {
  const first = reader.text[reader.at]
  if (first === '{') return readList(reader)
  return first === '"' ? readQuoted(reader) : readBare(reader)
}

function readQuoted(reader: Reader): string | undefined {
  const { text } = reader
  let value = ''
  for (let at = reader.at + 1; at < text.length; at += 1) {
    if (text[at] === '"') {
      reader.at = at + 1
      return value
    }
    if (text[at] === '\\') at += 1
    value += text[at] ?? ''
  }
  return undefined
}

function readBare(reader: Reader): string | null | undefined {
  const { text, delimiter } = reader
  let end = reader.at
  while (end < text.length && text[end] !== delimiter && !'{}"\\'.includes(text[end]!)) end += 1
  const value = text.slice(reader.at, end)
  reader.at = end
  if (value === '' || value !== value.trim()) return undefined
  return value.toUpperCase() === 'NULL' ? null : value
}
