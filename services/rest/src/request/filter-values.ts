import type { Slot } from './query.ts'
import type { Cursor } from './cursor.ts'
import type { Draft } from './draft.ts'
import type { ValueExtent } from './filter.ts'
import { accept, code, peek, skipBlanks, tooMuch, unexpected } from './cursor.ts'
import { takeValue } from './draft.ts'
import { readQuoted } from './names.ts'

/** One value. In a logic tree it may be quoted, or an array literal whose commas do not end it. */
export function readSingleValue(
  cursor: Cursor,
  draft: Draft,
  { extent, isPattern }: { extent: ValueExtent; isPattern: boolean },
): Slot {
  const start = cursor.pos
  const written = extent === 'whole' ? readRest(cursor) : (readQuotedElement(cursor) ?? readBracesOrRaw(cursor))
  // `*` is `%` for clients that would otherwise have to percent-encode the percent sign.
  const value = isPattern && written.includes('*') ? written.replaceAll('*', '%') : written
  return takeValue(draft, cursor, { start, end: cursor.pos, value })
}

function readRest(cursor: Cursor): string {
  const value = cursor.text.slice(cursor.pos)
  cursor.pos = cursor.text.length
  return value
}

/** A quoted text that is the whole element; undefined (and nothing read) when it is not. */
function readQuotedElement(cursor: Cursor): string | undefined {
  if (peek(cursor) !== code.quote) return undefined
  const start = cursor.pos
  if (closesQuote(cursor.text, start)) return readQuoted(cursor)
  cursor.pos = start
  return undefined
}

/** Whether the quoted text that opens at `start` is followed by `,`, `)` or the end. */
function closesQuote(text: string, start: number): boolean {
  for (let pos = start + 1; pos < text.length; pos++) {
    const unit = text.charCodeAt(pos)
    if (unit === code.backslash) pos++
    else if (unit === code.quote) return pos + 1 === text.length || isElementEnd(text.charCodeAt(pos + 1))
  }
  return false
}

function isElementEnd(unit: number): boolean {
  return unit === code.comma || unit === code.close
}

function readBracesOrRaw(cursor: Cursor): string {
  if (peek(cursor) !== code.openBrace) return readRaw(cursor)
  const { text, pos } = cursor
  let end = pos + 1
  while (end < text.length && text.charCodeAt(end) !== code.openBrace && text.charCodeAt(end) !== code.closeBrace) end++
  if (text.charCodeAt(end) !== code.closeBrace) return readRaw(cursor)
  cursor.pos = end + 1
  return text.slice(pos, end + 1)
}

function readRaw(cursor: Cursor): string {
  const { text, pos } = cursor
  let end = pos
  while (end < text.length && !isElementEnd(text.charCodeAt(end))) end++
  cursor.pos = end
  return text.slice(pos, end)
}

/**
 * `(a,"b,c",d)` as the text of a Postgres array literal. A list of one empty text is the empty list, as `in.()` must
 * deny everything.
 */
export function readListValue(cursor: Cursor, draft: Draft): Slot {
  skipBlanks(cursor)
  const start = cursor.pos
  if (!accept(cursor, code.open)) unexpected(cursor, ['"("'])
  skipBlanks(cursor)
  const value = readElements(cursor, draft.limits.inValuesMax)
  if (!accept(cursor, code.close)) unexpected(cursor, ['","', '")"'])
  const slot = takeValue(draft, cursor, { start, end: cursor.pos, value })
  skipBlanks(cursor)
  return slot
}

function readElements(cursor: Cursor, inValuesMax: number): string {
  let literal = ''
  let count = 0
  do {
    if (++count > inValuesMax) tooMuch('filter', 'inValuesMax', inValuesMax)
    const element = readQuotedElement(cursor) ?? readRaw(cursor)
    if (count === 1 && element === '' && peek(cursor) !== code.comma) return '{}'
    literal += (count === 1 ? '{"' : ',"') + escaped(element) + '"'
  } while (accept(cursor, code.comma))
  return literal + '}'
}

function escaped(element: string): string {
  const isClean = !element.includes('"') && !element.includes('\\')
  return isClean ? element : element.replaceAll('\\', '\\\\').replaceAll('"', '\\"')
}
