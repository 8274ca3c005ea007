import type { AggregateName, FieldRef, SelectItem } from './query.ts'
import type { Cursor } from './cursor.ts'
import type { Draft } from './draft.ts'
import { accept, code, isNext, peek, skipBlanks, tooMuch, unexpected, unexpectedTail } from './cursor.ts'
import { countSelectItem } from './draft.ts'
import { noSteps, readIdentifier, readName, readSteps } from './names.ts'

const aggregateNames: readonly AggregateName[] = ['sum', 'avg', 'count', 'max', 'min']
const aggregateExpected = aggregateNames.map((name) => `"${name}"`)
const itemEnd = ['letter', 'digit', '"-"', '"->>"', '"->"', '"::"', '"."', '")"', '","', 'end of input']
const starEnd = ['")"', '","', 'end of input']

/**
 * Items of `select=`, to the end of the text or to the `)` that closes an embed. An empty list is one without items.
 */
export function readSelect(cursor: Cursor, draft: Draft, depth = 0): readonly SelectItem[] {
  if (depth > draft.limits.embedDepthMax) tooMuch(cursor.subject, 'embedDepthMax', draft.limits.embedDepthMax)
  const items: SelectItem[] = []
  skipBlanks(cursor)
  if (isListEnd(peek(cursor))) return items
  do {
    countSelectItem(draft)
    skipBlanks(cursor)
    items.push(readItem(cursor, draft, depth))
    skipBlanks(cursor)
  } while (accept(cursor, code.comma))
  return items
}

function isListEnd(unit: number): boolean {
  return unit === -1 || unit === code.close
}

function readItem(cursor: Cursor, draft: Draft, depth: number): SelectItem {
  if (isNext(cursor, '...')) return readSpread(cursor, draft, depth)
  if (accept(cursor, code.star)) return starItem(cursor)
  const start = cursor.pos
  const first = readName(cursor)
  const alias = acceptAlias(cursor) ? first : undefined
  const nameAt = alias === undefined ? start : cursor.pos
  const name = alias === undefined ? first : readName(cursor)
  const next = peek(cursor)
  const isQuoted = cursor.text.charCodeAt(nameAt) === code.quote
  if (name === 'count' && !isQuoted && isNext(cursor, '()')) return readBareCount(cursor, alias)
  if (next === code.bang || next === code.open) {
    const { hint, join } = readEmbedWords(cursor)
    return { kind: 'embed', name, alias, hint, join, select: readEmbedSelect(cursor, draft, depth) }
  }
  return readFieldItem(cursor, name, alias)
}

const star: SelectItem = { kind: 'field', field: { name: '*', path: noSteps } }

function starItem(cursor: Cursor): SelectItem {
  skipBlanks(cursor)
  mustEndItem(cursor, starEnd)
  return star
}

/** A `:` that is not the start of `::`. */
function acceptAlias(cursor: Cursor): boolean {
  if (peek(cursor) !== code.colon || cursor.text.charCodeAt(cursor.pos + 1) === code.colon) return false
  cursor.pos++
  return true
}

function readSpread(cursor: Cursor, draft: Draft, depth: number): SelectItem {
  cursor.pos += 3
  const name = readName(cursor)
  const { hint, join } = readEmbedWords(cursor)
  return { kind: 'spread', name, hint, join, select: readEmbedSelect(cursor, draft, depth) }
}

/** `!inner`, `!left` and one hint, in any order. */
function readEmbedWords(cursor: Cursor): { hint?: string; join?: 'inner' | 'left' } {
  let hint: string | undefined
  let join: 'inner' | 'left' | undefined
  for (let words = 0; words < 2 && accept(cursor, code.bang); words++) {
    const isQuoted = peek(cursor) === code.quote
    const word = readName(cursor, ['"left"', '"inner"', 'field name (* or [a..z0..9_$])'])
    if (!isQuoted && (word === 'inner' || word === 'left')) join ??= word
    else hint ??= word
  }
  return { hint, join }
}

function readEmbedSelect(cursor: Cursor, draft: Draft, depth: number): readonly SelectItem[] {
  if (!accept(cursor, code.open)) unexpected(cursor, ['"!"', '"("'])
  const select = readSelect(cursor, draft, depth + 1)
  if (!accept(cursor, code.close)) unexpectedTail(cursor, ['","', '")"'])
  return select
}

function readBareCount(cursor: Cursor, alias: string | undefined): SelectItem {
  cursor.pos += 2
  const cast = readCast(cursor)
  mustEndItem(cursor, starEnd)
  return { kind: 'field', alias, aggregate: { name: 'count', cast } }
}

function readFieldItem(cursor: Cursor, name: string, alias: string | undefined): SelectItem {
  const field: FieldRef = { name, path: readSteps(cursor) }
  skipBlanks(cursor)
  const cast = readCast(cursor)
  const aggregate = accept(cursor, code.dot) ? readAggregate(cursor) : undefined
  skipBlanks(cursor)
  mustEndItem(cursor, itemEnd)
  return { kind: 'field', field, alias, cast, aggregate }
}

/** `::type`, possibly nothing. */
function readCast(cursor: Cursor): string | undefined {
  if (!isNext(cursor, '::')) return undefined
  cursor.pos += 2
  return readIdentifier(cursor)
}

function readAggregate(cursor: Cursor): { name: AggregateName; cast?: string } {
  const name = aggregateNames.find((name) => isNext(cursor, name))
  if (name === undefined) return unexpected(cursor, aggregateExpected)
  cursor.pos += name.length
  if (!isNext(cursor, '()')) unexpected(cursor, ['"()"'])
  cursor.pos += 2
  return { name, cast: readCast(cursor) }
}

function mustEndItem(cursor: Cursor, expecting: readonly string[]): void {
  const unit = peek(cursor)
  if (unit !== -1 && unit !== code.comma && unit !== code.close) unexpectedTail(cursor, expecting)
}
