import { errors } from '../errors.ts'

/**
 * A place in the text of one parameter. The readers of this folder move `pos` forward over UTF-16 code units and never
 * back by more than they looked ahead, so that parsing is linear in the length of the text.
 */
export type Cursor = {
  readonly text: string
  pos: number
  /** What is being read, for messages: `select parameter`, `filter`, `order`, `logic tree`, `tree path`. */
  readonly subject: string
  /** Characters at the start of `text` that the caller did not write here (`or` in front of the tree of `or=(…)`). */
  readonly implied: number
}

export function createCursor(text: string, subject: string): Cursor {
  return { text, pos: 0, subject, implied: 0 }
}

export const code = {
  tab: 9,
  space: 32,
  quote: 34,
  dollar: 36,
  open: 40,
  close: 41,
  star: 42,
  plus: 43,
  comma: 44,
  dash: 45,
  dot: 46,
  zero: 48,
  nine: 57,
  colon: 58,
  greater: 62,
  bang: 33,
  backslash: 92,
  openBrace: 123,
  closeBrace: 125,
} as const

/** The code unit under the cursor, or -1 at the end. */
export function peek(cursor: Cursor): number {
  return cursor.pos < cursor.text.length ? cursor.text.charCodeAt(cursor.pos) : -1
}

export function skipBlanks(cursor: Cursor): void {
  let unit = peek(cursor)
  while (unit === code.space || unit === code.tab) {
    cursor.pos++
    unit = peek(cursor)
  }
}

/** Steps over `unit` if it is next. */
export function accept(cursor: Cursor, unit: number): boolean {
  if (cursor.pos >= cursor.text.length || cursor.text.charCodeAt(cursor.pos) !== unit) return false
  cursor.pos++
  return true
}

export function atEnd(cursor: Cursor): boolean {
  return cursor.pos >= cursor.text.length
}

/** `in`, `and` and the like: whether `word` is next; does not move. */
export function isNext(cursor: Cursor, word: string): boolean {
  return cursor.text.startsWith(word, cursor.pos)
}

/** PGRST100 at a place of the text, worded as PostgREST's parser words it: `unexpected "x" expecting a, b or c`. */
export function unexpected(cursor: Cursor, expecting: readonly string[], at = cursor.pos, shownAt = at): never {
  return refuseAt(cursor, at, shown(cursor.text, shownAt, '"'), expecting)
}

/** The same where the text should have ended or gone on with a separator; such a character is shown as `'x'`. */
export function unexpectedTail(cursor: Cursor, expecting: readonly string[], at = cursor.pos): never {
  return refuseAt(cursor, at, shown(cursor.text, at, "'"), expecting)
}

function refuseAt(cursor: Cursor, at: number, found: string, expecting: readonly string[]): never {
  const column = characters(cursor.text, at) + 1
  const written = cursor.text.slice(cursor.implied)
  throw errors.query(
    `"failed to parse ${cursor.subject} (${written})" (line 1, column ${column})`,
    `unexpected ${found}${expecting.length === 0 ? '' : ` expecting ${enumerate(expecting)}`}`,
  )
}

/** A limit of `QueryLimits` that the query exceeds. */
export function tooMuch(subject: string, limit: string, max: number): never {
  throw errors.query(`"failed to parse ${subject}"`, `more than ${max} (${limit}); ask for less in one request`)
}

function shown(text: string, at: number, mark: string): string {
  const point = text.codePointAt(at)
  if (point === undefined) return 'end of input'
  return `${mark}${String.fromCodePoint(point)}${mark}`
}

function enumerate(names: readonly string[]): string {
  if (names.length < 2) return names.join('')
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

/** Code points in front of a UTF-16 offset. */
function characters(text: string, offset: number): number {
  let count = 0
  for (let i = 0; i < offset; count++) i += (text.codePointAt(i) ?? 0) > 0xffff ? 2 : 1
  return count
}
