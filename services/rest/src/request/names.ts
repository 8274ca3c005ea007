import type { FieldRef, JsonStep } from './query.ts'
import type { Cursor } from './cursor.ts'
import { accept, atEnd, code, isNext, peek, skipBlanks, unexpected, unexpectedTail } from './cursor.ts'

/** No steps, no embeds: shared, because nearly every field and path is empty. */
export const noSteps: readonly JsonStep[] = Object.freeze([])

const nameExpected = ['field name (* or [a..z0..9_$])']
const afterDash = ['letter', 'digit']
const keyExpected = ['"-"', 'digit', 'any non reserved character different from: .,>()']
const afterIndex = ['digit', '"->"', '"::"', '"."', '","', 'end of input']

const plainUnits = new Uint8Array(128)
for (const unit of '_ $0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ')
  plainUnits[unit.charCodeAt(0)] = 1

/** What may stand in an unquoted name. Letters of any script are allowed, so everything beyond ASCII is. */
export function isNameUnit(unit: number): boolean {
  return unit > 127 || plainUnits[unit] === 1
}

/**
 * A name: letters, digits, `_`, `$` and inner blanks, pieces joined by `-`, trimmed; or anything inside double quotes,
 * where a backslash takes the next character literally.
 */
export function readName(cursor: Cursor, expecting: readonly string[] = nameExpected): string {
  const { text } = cursor
  const start = cursor.pos
  if (peek(cursor) === code.quote) return readQuoted(cursor)
  let pos = start
  while (pos < text.length) {
    const unit = text.charCodeAt(pos)
    if (isNameUnit(unit)) pos++
    else if (unit === code.dash && pos > start && text.charCodeAt(pos + 1) !== code.greater)
      pos = afterDashAt(cursor, pos)
    else break
  }
  cursor.pos = pos
  const name = trimmed(text, start, pos)
  if (name === '') unexpected(cursor, expecting)
  return name
}

function afterDashAt(cursor: Cursor, dashAt: number): number {
  const next = dashAt + 1
  if (next >= cursor.text.length || !isNameUnit(cursor.text.charCodeAt(next))) unexpected(cursor, afterDash, next)
  return next
}

/** Blanks around a name and around its dashes are no part of it. */
function trimmed(text: string, start: number, end: number): string {
  const name = text.slice(start, end)
  const isClean = name.indexOf(' ') === -1
  if (isClean) return name
  return name
    .split('-')
    .map((piece) => piece.trim())
    .join('-')
}

/** A double-quoted text at the cursor; a backslash takes the next character literally. */
export function readQuoted(cursor: Cursor): string {
  const { text } = cursor
  let from = cursor.pos + 1
  let value = ''
  for (let pos = from; pos < text.length; pos++) {
    const unit = text.charCodeAt(pos)
    if (unit === code.quote) {
      cursor.pos = pos + 1
      return value + text.slice(from, pos)
    }
    if (unit !== code.backslash) continue
    value += text.slice(from, pos)
    from = ++pos
  }
  return unexpected(cursor, ['"\\""'], text.length)
}

/** The name of a type or of a search configuration: letters, digits, `_`, `$` and blanks, trimmed. */
export function readIdentifier(cursor: Cursor): string {
  const start = cursor.pos
  while (!atEnd(cursor) && isNameUnit(peek(cursor))) cursor.pos++
  const name = cursor.text.slice(start, cursor.pos).trim()
  if (name === '') unexpected(cursor, afterDash)
  return name
}

/** A name with the JSON steps behind it, blanks around them allowed. */
export function readField(cursor: Cursor, expecting?: readonly string[]): FieldRef {
  skipBlanks(cursor)
  const name = readName(cursor, expecting)
  const path = readSteps(cursor)
  skipBlanks(cursor)
  return { name, path }
}

/** `->a->>0`, possibly nothing. */
export function readSteps(cursor: Cursor): readonly JsonStep[] {
  if (peek(cursor) !== code.dash) return noSteps
  const steps: JsonStep[] = []
  while (isNext(cursor, '->')) {
    cursor.pos += 2
    const arrow = accept(cursor, code.greater) ? '->>' : '->'
    steps.push(readStep(cursor, arrow))
  }
  return steps
}

function readStep(cursor: Cursor, arrow: JsonStep['arrow']): JsonStep {
  if (peek(cursor) === code.quote) return { arrow, key: readQuoted(cursor), isIndex: false }
  const start = cursor.pos
  const isNegative = accept(cursor, code.dash)
  const digitsAt = cursor.pos
  while (isDigit(peek(cursor))) cursor.pos++
  if (cursor.pos > digitsAt && endsStep(cursor))
    return { arrow, key: cursor.text.slice(start, cursor.pos), isIndex: true }
  if (isNegative && cursor.pos === digitsAt) unexpected(cursor, ['digit'])
  if (isNegative) unexpectedTail(cursor, afterIndex)
  cursor.pos = start
  return { arrow, key: readKey(cursor), isIndex: false }
}

function isDigit(unit: number): boolean {
  return unit >= code.zero && unit <= code.nine
}

function endsStep(cursor: Cursor): boolean {
  const unit = peek(cursor)
  if (unit === -1 || unit === code.comma || unit === code.dot || unit === code.close) return true
  return isNext(cursor, '->') || isNext(cursor, '::')
}

/** A JSON key: anything but `( - : . , > )`, pieces joined by `-`, trimmed. */
function readKey(cursor: Cursor): string {
  const start = cursor.pos
  while (!atEnd(cursor)) {
    const unit = peek(cursor)
    if (unit === code.dash && cursor.text.charCodeAt(cursor.pos + 1) === code.greater) break
    if (isReservedInKey(unit)) break
    cursor.pos++
  }
  const key = trimmed(cursor.text, start, cursor.pos)
  if (key === '') unexpected(cursor, keyExpected)
  return key
}

function isReservedInKey(unit: number): boolean {
  if (unit === code.open || unit === code.close || unit === code.colon) return true
  return unit === code.dot || unit === code.comma || unit === code.greater
}
