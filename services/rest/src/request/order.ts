import type { FieldRef, OrderTerm } from './query.ts'
import type { Cursor } from './cursor.ts'
import { accept, code, isNext, peek, skipBlanks, unexpected, unexpectedTail } from './cursor.ts'
import { noSteps, readField, readName, readSteps } from './names.ts'

const fieldEnd = ['letter', 'digit', '"-"', '"->>"', '"->"', 'delimiter (.)', '","', 'end of input']
const nullsWords = ['nullsfirst', 'nullslast'] as const
const directionWords = ['asc', 'desc'] as const
const allWords = ['"asc"', '"desc"', '"nullsfirst"', '"nullslast"']

/** Terms of `order=`: `column.desc.nullslast`, `data->>key.asc`, `embed(column).desc`. */
export function readOrder(cursor: Cursor): readonly OrderTerm[] {
  const terms: OrderTerm[] = []
  do {
    skipBlanks(cursor)
    terms.push(readTerm(cursor))
    skipBlanks(cursor)
  } while (accept(cursor, code.comma))
  if (peek(cursor) !== -1) unexpectedTail(cursor, ['","', 'end of input'])
  return terms
}

function readTerm(cursor: Cursor): OrderTerm {
  const target = readTarget(cursor)
  const direction = readWord(cursor, directionWords)
  const nulls = readWord(cursor, nullsWords)
  mustEndTerm(cursor, { direction, nulls })
  return { ...target, direction, nulls: nulls === undefined ? undefined : nulls === 'nullsfirst' ? 'first' : 'last' }
}

function readTarget(cursor: Cursor): { embed?: string; field: FieldRef } {
  const name = readName(cursor)
  if (peek(cursor) !== code.open) {
    const path = peek(cursor) === code.dash ? readSteps(cursor) : noSteps
    skipBlanks(cursor)
    return { field: { name, path } }
  }
  const openAt = cursor.pos++
  const field = readField(cursor)
  if (!accept(cursor, code.close)) unexpectedTail(cursor, fieldEnd, openAt)
  return { embed: name, field }
}

/** Reads `.word` if one of `words` is next. */
function readWord<Word extends string>(cursor: Cursor, words: readonly Word[]): Word | undefined {
  if (peek(cursor) !== code.dot) return undefined
  const word = words.find((word) => cursor.text.startsWith(word, cursor.pos + 1))
  if (word !== undefined) cursor.pos += 1 + word.length
  return word
}

function mustEndTerm(cursor: Cursor, read: { direction?: string; nulls?: string }): void {
  const unit = peek(cursor)
  if (unit === -1 || unit === code.comma || unit === code.space || unit === code.tab) return
  if (unit === code.dot && read.nulls === undefined) refuseWord(cursor, read.direction !== undefined)
  if (read.nulls !== undefined) unexpectedTail(cursor, ['","', 'end of input'])
  if (read.direction !== undefined) unexpectedTail(cursor, ['delimiter (.)', '","', 'end of input'])
  unexpectedTail(cursor, fieldEnd)
}

/** The place is the word, the character shown is the first that differs from the first word that could stand there. */
function refuseWord(cursor: Cursor, hasDirection: boolean): never {
  const at = cursor.pos + 1
  const likely = hasDirection ? 'nullsfirst' : 'asc'
  let same = 0
  while (isNext({ ...cursor, pos: at }, likely.slice(0, same + 1))) same++
  return unexpected(cursor, hasDirection ? allWords.slice(2) : allWords, at, at + same)
}
