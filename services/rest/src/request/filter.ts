import type { CompareOperator, Operation, Slot } from './query.ts'
import type { Cursor } from './cursor.ts'
import type { Draft } from './draft.ts'
import { accept, code, isNext, peek, unexpected } from './cursor.ts'
import { takeValue } from './draft.ts'
import { readIdentifier } from './names.ts'
import { readListValue, readSingleValue } from './filter-values.ts'

/** Whether a value goes to the end of the text (`id=eq.…`) or to the `,` or `)` of a logic tree. */
export type ValueExtent = 'whole' | 'listed'

/** `not.` in front, the operation behind. */
type Negatable = { readonly negated: boolean; readonly operation: Operation }

type FtsOperator = (Operation & { kind: 'fts' })['operator']

type Family =
  | { readonly is: 'compare'; readonly operator: CompareOperator; readonly quantifiable: boolean }
  | { readonly is: 'fts'; readonly operator: FtsOperator }
  | { readonly is: 'in' | 'is' | 'isdistinct' }

const quantifiable = ['eq', 'gte', 'gt', 'lte', 'lt', 'like', 'ilike', 'match', 'imatch'] as const
const plain = ['neq', 'cs', 'cd', 'ov', 'sl', 'sr', 'nxr', 'nxl', 'adj'] as const
const textSearch = ['fts', 'plfts', 'phfts', 'wfts'] as const

const families: ReadonlyMap<string, Family> = new Map<string, Family>([
  ...quantifiable.map((operator) => [operator, { is: 'compare', operator, quantifiable: true }] as const),
  ...plain.map((operator) => [operator, { is: 'compare', operator, quantifiable: false }] as const),
  ...textSearch.map((operator) => [operator, { is: 'fts', operator }] as const),
  ['in', { is: 'in' }],
  ['is', { is: 'is' }],
  ['isdistinct', { is: 'isdistinct' }],
])

/**
 * Reads `[not.]operator[(modifier)].value` at the cursor. Undefined when there is no operator: then nothing was taken
 * and the caller decides between an argument of a function and `refuseOperator`.
 */
export function readOperation(cursor: Cursor, draft: Draft, extent: ValueExtent): Negatable | undefined {
  const negated = isNext(cursor, 'not.')
  if (negated) cursor.pos += 4
  const start = cursor.pos
  const family = families.get(cursor.text.slice(start, operatorEnd(cursor)))
  if (family === undefined) return undefined
  cursor.pos = operatorEnd(cursor)
  const operation = readBehindOperator(cursor, draft, { family, extent })
  return operation === undefined ? undefined : { negated, operation }
}

/** No operator is longer than `isdistinct`. */
const operatorLengthMax = 10

function operatorEnd(cursor: Cursor): number {
  const { text } = cursor
  const last = Math.min(text.length, cursor.pos + operatorLengthMax)
  let end = cursor.pos
  while (end < last && text.charCodeAt(end) >= 97 && text.charCodeAt(end) <= 122) end++
  return end
}

function readBehindOperator(
  cursor: Cursor,
  draft: Draft,
  { family, extent }: { family: Family; extent: ValueExtent },
): Operation | undefined {
  if (family.is === 'compare') return readCompare(cursor, draft, { family, extent })
  if (family.is === 'fts') return readTextSearch(cursor, draft, { operator: family.operator, extent })
  if (!accept(cursor, code.dot)) return undefined
  if (family.is === 'in') return { kind: 'in', slot: readListValue(cursor, draft) }
  if (family.is === 'is') return { kind: 'is', value: readTruth(cursor) }
  return { kind: 'isdistinct', slot: readSingleValue(cursor, draft, { extent, isPattern: false }) }
}

function readCompare(
  cursor: Cursor,
  draft: Draft,
  { family, extent }: { family: Family & { is: 'compare' }; extent: ValueExtent },
): Operation | undefined {
  const { operator } = family
  const quantifier = family.quantifiable ? readQuantifier(cursor) : undefined
  if (!accept(cursor, code.dot)) return undefined
  const isPattern = operator === 'like' || operator === 'ilike'
  const slot = readSingleValue(cursor, draft, { extent, isPattern })
  return quantifier === undefined
    ? { kind: 'compare', operator, slot }
    : { kind: 'compare', operator, quantifier, slot }
}

function readQuantifier(cursor: Cursor): 'any' | 'all' | undefined {
  if (peek(cursor) !== code.open) return undefined
  const quantifier = isNext(cursor, '(any)') ? 'any' : isNext(cursor, '(all)') ? 'all' : undefined
  if (quantifier !== undefined) cursor.pos += 5
  return quantifier
}

function readTextSearch(
  cursor: Cursor,
  draft: Draft,
  { operator, extent }: { operator: FtsOperator; extent: ValueExtent },
): Operation | undefined {
  const close = cursor.text.indexOf(').', cursor.pos)
  if (peek(cursor) === code.open && close > cursor.pos + 1) {
    const languageSlot = readLanguage(cursor, draft)
    if (languageSlot === undefined) return undefined
    return { kind: 'fts', operator, languageSlot, slot: readSingleValue(cursor, draft, { extent, isPattern: false }) }
  }
  if (!accept(cursor, code.dot)) return undefined
  return { kind: 'fts', operator, slot: readSingleValue(cursor, draft, { extent, isPattern: false }) }
}

function readLanguage(cursor: Cursor, draft: Draft): Slot | undefined {
  const start = ++cursor.pos
  const value = readIdentifier(cursor)
  const end = cursor.pos
  if (!isNext(cursor, ').')) return undefined
  cursor.pos += 2
  return takeValue(draft, cursor, { start, end, value })
}

const truths = ['null', 'not_null', 'true', 'false', 'unknown'] as const

function readTruth(cursor: Cursor): (typeof truths)[number] {
  const written = cursor.text.slice(cursor.pos, cursor.pos + 8).toLowerCase()
  const truth = truths.find((word) => written.startsWith(word))
  if (truth === undefined) return refuseTruth(cursor, written)
  cursor.pos += truth.length
  return truth
}

function refuseTruth(cursor: Cursor, written: string): never {
  const right = Math.max(...truths.map((word) => commonLength(word, written)))
  return unexpected(cursor, ['isVal: (null, not_null, true, false, unknown)'], cursor.pos + right)
}

/**
 * PGRST100 for a text at `start` that no operator begins; the place is behind the longest operator that was recognised.
 */
export function refuseOperator(cursor: Cursor, start: number): never {
  const isNegated = cursor.text.startsWith('not.', start)
  const from = isNegated ? start + 4 : start
  const rest = cursor.text.slice(from, from + operatorLengthMax)
  let recognised = 0
  for (const word of families.keys()) if (rest.startsWith(word)) recognised = Math.max(recognised, word.length)
  if (recognised > 0) unexpected(cursor, ['operator (eq, gt, ...)'], placeInModifier(cursor, from + recognised))
  if (isNegated) unexpected(cursor, ['operator (eq, gt, ...)'], from)
  return unexpected(cursor, ['"not"', 'operator (eq, gt, ...)'], from, from + commonLength('not', rest))
}

/** `eq().5` is wrong at the `)`. */
function placeInModifier(cursor: Cursor, at: number): number {
  const hasModifier = cursor.text.charCodeAt(at) === code.open
  const takesModifier = !/(in|is|isdistinct)$/.test(cursor.text.slice(0, at))
  return hasModifier && takesModifier ? at + 1 : at
}

function commonLength(word: string, text: string): number {
  let length = 0
  while (length < word.length && word[length] === text[length]) length++
  return length
}
