import type { Condition, LogicTree } from './query.ts'
import type { Cursor } from './cursor.ts'
import type { Draft } from './draft.ts'
import { accept, code, isNext, peek, skipBlanks, tooMuch, unexpected } from './cursor.ts'
import { countFilter } from './draft.ts'
import { readOperation, refuseOperator } from './filter.ts'
import { readField } from './names.ts'

const elementExpected = [
  'field name (* or [a..z0..9_$])',
  'negation operator (not)',
  'logic operator (and, or)',
] as const
const fieldEnd = ['letter', 'digit', '"-"', '"->>"', '"->"', 'delimiter (.)']

type Group = { readonly kind: 'and' | 'or'; readonly negated: boolean }

/** `[not.]and(…)` or `[not.]or(…)`, whose operator comes from the parameter's key. */
export function readLogicRoot(cursor: Cursor, draft: Draft): LogicTree {
  const group = readGroupWord(cursor)
  if (group === undefined) return unexpected(cursor, ['logic operator (and, or)'])
  return readGroup(cursor, draft, { ...group, depth: 1 })
}

/** Reads the word of a group and stops in front of its `(`; undefined (and nothing read) when there is none. */
function readGroupWord(cursor: Cursor): Group | undefined {
  const negated = isNext(cursor, 'not.')
  const at = negated ? cursor.pos + 4 : cursor.pos
  const kind = cursor.text.startsWith('and', at) ? 'and' : cursor.text.startsWith('or', at) ? 'or' : undefined
  if (kind === undefined) return undefined
  cursor.pos = at + kind.length
  return { kind, negated }
}

function readGroup(cursor: Cursor, draft: Draft, group: Group & { depth: number }): LogicTree {
  const { kind, negated, depth } = group
  if (depth > draft.limits.logicDepthMax) tooMuch('logic tree', 'logicDepthMax', draft.limits.logicDepthMax)
  skipBlanks(cursor)
  if (!accept(cursor, code.open)) unexpected(cursor, ['"("'])
  const children: LogicTree[] = []
  do children.push(readElement(cursor, draft, depth))
  while (accept(cursor, code.comma))
  if (!accept(cursor, code.close)) unexpected(cursor, ['","', '")"'])
  skipBlanks(cursor)
  return { kind, negated, children }
}

function readElement(cursor: Cursor, draft: Draft, depth: number): LogicTree {
  skipBlanks(cursor)
  const start = cursor.pos
  const group = readGroupWord(cursor)
  // A column may be called `order` or `not`: it is a group only when a `(` follows.
  if (group !== undefined && opensGroup(cursor)) return readGroup(cursor, draft, { ...group, depth: depth + 1 })
  cursor.pos = start
  const condition = readCondition(cursor, draft)
  skipBlanks(cursor)
  return condition
}

function opensGroup(cursor: Cursor): boolean {
  skipBlanks(cursor)
  return peek(cursor) === code.open
}

function readCondition(cursor: Cursor, draft: Draft): Condition {
  countFilter(draft)
  const start = cursor.pos
  const field = readField(cursor, elementExpected)
  if (!accept(cursor, code.dot)) return refuseField(cursor, start)
  const operatorAt = cursor.pos
  const found = readOperation(cursor, draft, 'listed')
  if (found !== undefined) return { kind: 'condition', field, ...found }
  if (field.name === 'not') return unexpected(cursor, ['logic operator (and, or)'], operatorAt)
  return refuseOperator(cursor, operatorAt)
}

function refuseField(cursor: Cursor, start: number): never {
  const end = cursor.pos
  cursor.pos = start
  const group = readGroupWord(cursor)
  if (group !== undefined) unexpected(cursor, ['"("'])
  return unexpected(cursor, fieldEnd, end)
}
