import type { EmbedPath, LogicTree, OrderTerm, ParsedQuery, SelectItem, Slot } from './query.ts'
import type { QueryLimits } from './query-limits.ts'
import type { Cursor } from './cursor.ts'
import type { Draft } from './draft.ts'
import { accept, atEnd, code, createCursor, skipBlanks, tooMuch, unexpectedTail } from './cursor.ts'
import { decodeComponent } from './decode.ts'
import { beginParameter, countFilter, createDraft, endParameter, takeValue } from './draft.ts'
import { readOperation, refuseOperator } from './filter.ts'
import { readLogicRoot } from './logic.ts'
import { noSteps, readName } from './names.ts'
import { readOrder } from './order.ts'
import { queryLimits } from './query-limits.ts'
import { readSelect } from './select.ts'
import { readLogicPath, readTreePath } from './tree-path.ts'

/**
 * What the path names. Of `routine-get` (a function called by GET or HEAD), parameters whose value starts with no
 * operator are arguments; elsewhere they are refused.
 */
export type QueryTarget = 'relation' | 'routine' | 'routine-get'

/** The members of `ParsedQuery` while they are found. */
type Parts = {
  readonly target: QueryTarget
  readonly draft: Draft
  select?: readonly SelectItem[]
  columns?: readonly string[]
  onConflict?: readonly string[]
  readonly filters: { path: EmbedPath; tree: LogicTree }[]
  readonly orders: { path: EmbedPath; terms: readonly OrderTerm[] }[]
  readonly limits: Paging[]
  readonly offsets: Paging[]
  readonly args: { name: string; slot: Slot }[]
}
type Paging = { readonly path: EmbedPath; readonly slot: Slot }

const everything: readonly SelectItem[] = Object.freeze([{ kind: 'field', field: { name: '*', path: noSteps } }])

/**
 * Parses a query string (without `?`) in one pass. Parameters without `=` mean nothing; of `select`, `columns` and
 * `on_conflict` the first counts, of `limit` and `offset` the last; everything else may repeat. What follows a complete
 * filter, order or list is refused, except behind the closing parenthesis of a logic tree, where PostgREST's clients
 * may rely on it being ignored. Refuses with PGRST100. The tree may share frozen parts with others: treat it as
 * immutable.
 */
export function parseQuery(rawQuery: string, target: QueryTarget, limits: QueryLimits = queryLimits): ParsedQuery {
  if (rawQuery.length > limits.queryLengthMax) tooMuch('query string', 'queryLengthMax', limits.queryLengthMax)
  const parts = createParts(target, limits)
  let parameters = 0
  for (let start = 0; start < rawQuery.length;) {
    const found = rawQuery.indexOf('&', start)
    const end = found === -1 ? rawQuery.length : found
    if (++parameters > limits.parametersMax) tooMuch('query string', 'parametersMax', limits.parametersMax)
    readRawParameter(parts, rawQuery.slice(start, end))
    start = end + 1
  }
  return toParsedQuery(parts)
}

function createParts(target: QueryTarget, limits: QueryLimits): Parts {
  return { target, draft: createDraft(limits), filters: [], orders: [], limits: [], offsets: [], args: [] }
}

function toParsedQuery(parts: Parts): ParsedQuery {
  const { draft, columns, onConflict, filters, orders, limits, offsets, args } = parts
  const { shape, values } = draft
  const select = parts.select ?? everything
  return { shape, values, select, filters, orders, limits, offsets, columns, onConflict, args }
}

function readRawParameter(parts: Parts, raw: string): void {
  const equals = raw.indexOf('=')
  if (equals <= 0) return
  readParameter(parts, decodeComponent(raw.slice(0, equals)), decodeComponent(raw.slice(equals + 1)))
}

/** The last word of a key says what the parameter is: `order`, `embed.order`; anything else is a filter. */
function readParameter(parts: Parts, key: string, text: string): void {
  switch (key.slice(key.lastIndexOf('.') + 1)) {
    case 'and':
    case 'or':
      return readLogicParameter(parts, key, text)
    case 'order':
      return readOrderParameter(parts, key, text)
    case 'limit':
      return readPaging(parts, parts.limits, { key, text })
    case 'offset':
      return readPaging(parts, parts.offsets, { key, text })
    default:
      return readNamedParameter(parts, key, text)
  }
}

function readNamedParameter(parts: Parts, key: string, text: string): void {
  if (key === 'select') readSelectParameter(parts, text)
  else if (key === 'columns') parts.columns ??= readNames(parts.draft, key, createCursor(text, 'columns parameter'))
  else if (key === 'on_conflict') {
    parts.onConflict ??= readNames(parts.draft, key, createCursor(text, 'on_conflict parameter'))
  } else readFilterParameter(parts, key, text)
}

function readSelectParameter(parts: Parts, text: string): void {
  if (parts.select !== undefined) return
  const cursor = createCursor(text, 'select parameter')
  beginParameter(parts.draft, 'select', cursor)
  parts.select = readSelect(cursor, parts.draft)
  if (!atEnd(cursor)) unexpectedTail(cursor, ['","', 'end of input'])
  endParameter(parts.draft, cursor)
}

/** `columns` and `on_conflict`: names between commas, repeated ones once. */
function readNames(draft: Draft, key: string, cursor: Cursor): readonly string[] {
  beginParameter(draft, key, cursor)
  const names = new Set<string>()
  do {
    skipBlanks(cursor)
    names.add(readName(cursor))
    skipBlanks(cursor)
  } while (accept(cursor, code.comma))
  if (!atEnd(cursor)) unexpectedTail(cursor, ['","', 'end of input'])
  endParameter(draft, cursor)
  return [...names]
}

function readLogicParameter(parts: Parts, key: string, text: string): void {
  const { path, operator } = readLogicPath(key)
  const cursor = { text: operator + text, pos: 0, subject: 'logic tree', implied: operator.length }
  beginParameter(parts.draft, key, cursor)
  parts.filters.push({ path, tree: readLogicRoot(cursor, parts.draft) })
  endParameter(parts.draft, cursor)
}

function readOrderParameter(parts: Parts, key: string, text: string): void {
  const { path } = readTreePath(key)
  const cursor = createCursor(text, 'order')
  beginParameter(parts.draft, key, cursor)
  parts.orders.push({ path, terms: readOrder(cursor) })
  endParameter(parts.draft, cursor)
}

/** A number that is none is no limit, as in PostgREST: clients send `limit=undefined`. */
function readPaging(parts: Parts, found: Paging[], { key, text }: { key: string; text: string }): void {
  const value = toInteger(text)
  if (value === undefined) return
  const { path } = readTreePath(key)
  const earlier = found.find((one) => one.path.length === path.length && one.path.every((name, i) => name === path[i]))
  if (earlier === undefined) found.push({ path, slot: takeWhole(parts.draft, key, value) })
  else parts.draft.values[earlier.slot] = value
}

const bigintMax = 9_223_372_036_854_775_807n

/**
 * The text of an integer that fits into a Postgres bigint, the nearest one if it does not; undefined for anything else.
 */
function toInteger(text: string): string | undefined {
  const trimmed = text.trim()
  const digitsAt = trimmed.startsWith('-') ? 1 : 0
  if (trimmed.length === digitsAt) return undefined
  for (let i = digitsAt; i < trimmed.length; i++) {
    const unit = trimmed.charCodeAt(i)
    if (unit < code.zero || unit > code.nine) return undefined
  }
  if (trimmed.length < 19) return trimmed
  const nearest = BigInt(trimmed)
  if (nearest > bigintMax) return String(bigintMax)
  return nearest < -bigintMax ? String(-bigintMax) : String(nearest)
}

function readFilterParameter(parts: Parts, key: string, text: string): void {
  const { draft } = parts
  const { path, field } = readTreePath(key)
  const cursor = createCursor(text, 'filter')
  beginParameter(draft, key, cursor)
  const found = readOperation(cursor, draft, 'whole')
  if (found === undefined) {
    if (parts.target !== 'routine-get') refuseOperator(cursor, 0)
    parts.args.push({ name: field.name, slot: takeArgument(draft, cursor) })
  } else {
    countFilter(draft)
    if (!atEnd(cursor)) unexpectedTail(cursor, ['end of input'])
    parts.filters.push({ path, tree: { kind: 'condition', field, ...found } })
  }
  endParameter(draft, cursor)
}

function takeArgument(draft: Draft, cursor: Cursor): Slot {
  cursor.pos = cursor.text.length
  return takeValue(draft, cursor, { start: 0, end: cursor.pos, value: cursor.text })
}

/** A parameter that is all value. */
function takeWhole(draft: Draft, key: string, value: string): Slot {
  const cursor = createCursor(value, key)
  beginParameter(draft, key, cursor)
  const slot = takeArgument(draft, cursor)
  endParameter(draft, cursor)
  return slot
}
