import type { FilterQuestion } from './deps.ts'
import type { ColumnFacts } from './facts.ts'
import { compareValues } from './compare-values.ts'
import { createLikeTest } from './match-like.ts'
import { type ArrayElement, parseArray } from './parse-array.ts'
import type { Filter } from './request.ts'
import { isEqualByText, toValueKind, type ValueKind } from './value-kinds.ts'

/** Undefined says that only Postgres can tell. */
export type Holds = boolean | null | undefined

/** One condition, made ready: its operand is as Postgres prints it. */
export type FilterTest = {
  readonly filter: Filter
  readonly column: string
  readonly typeOid: number
  /** Before `not.`; for a value as Postgres prints it. */
  readonly holds: (value: string | null) => Holds
  /** What to ask Postgres when `holds` cannot say. */
  readonly toQuestion: (value: string | null) => FilterQuestion
  /** Values to look it up by: the condition holds for exactly these texts of the column. */
  readonly equalTo: readonly string[] | undefined
}

type FilterColumn = ColumnFacts & { readonly isEnum: boolean }

/** `operand` is the filter's value as Postgres prints it. */
export function createFilterTest(filter: Filter, column: FilterColumn, operand: string): FilterTest {
  const kind = toValueKind(column, column.isEnum)
  const { operator } = filter
  const { typeOid, collationOid } = column
  return {
    filter,
    column: column.name,
    typeOid,
    holds: toHolds(filter, kind, operand),
    toQuestion: (value) => ({ kind: 'filter', operator, typeOid, collationOid, value, operand }),
    equalTo: kind !== undefined && isEqualByText(kind) && !filter.negate ? toEqualTo(filter, operand) : undefined,
  }
}

function toEqualTo({ operator }: Filter, operand: string): readonly string[] | undefined {
  if (operator === 'eq') return [operand]
  if (operator !== 'in') return undefined
  // NULL in a list never makes the condition hold.
  return toTexts(parseArray(operand))?.filter((text) => text !== null)
}

function toTexts(elements: readonly ArrayElement[] | undefined): readonly (string | null)[] | undefined {
  return elements?.every((element) => typeof element === 'string' || element === null)
    ? (elements as readonly (string | null)[])
    : undefined
}

function toHolds(filter: Filter, kind: ValueKind | undefined, operand: string): FilterTest['holds'] {
  const { operator } = filter
  if (operator === 'is') return toIs(operand)
  if (operator === 'isdistinct') {
    const equals = toComparison(kind, operand, (order) => order === 0)
    return (value) => negate(value === null ? false : equals(value))
  }
  if (operator === 'in') return toIn(kind, operand)
  if (operator === 'like') return nullOr(toLike(kind, operand))
  const test = orders[operator]
  return nullOr(test === undefined ? askPostgres : toComparison(kind, operand, test))
}

const askPostgres = (): undefined => undefined
const negate = (holds: Holds): Holds => (typeof holds === 'boolean' ? !holds : holds)

const nullOr =
  (holds: (value: string) => Holds): FilterTest['holds'] =>
  (value) =>
    value === null ? null : holds(value)

const orders: Readonly<Record<string, (order: number) => boolean>> = {
  eq: (order) => order === 0,
  neq: (order) => order !== 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
}

function toIs(keyword: string): FilterTest['holds'] {
  if (keyword === 'true') return (value) => value === 't'
  if (keyword === 'false') return (value) => value === 'f'
  return (value) => value === null
}

function toComparison(
  kind: ValueKind | undefined,
  operand: string,
  test: (order: number) => boolean,
): (value: string) => Holds {
  if (kind === undefined) return askPostgres
  // Different texts of these kinds are different values, in an order that only Postgres knows.
  if (kind === 'text' || kind === 'enum') {
    if (test(-1) !== test(1)) return askPostgres
    return (value) => test(value === operand ? 0 : 1)
  }
  return (value) => {
    const order = compareValues(kind, value, operand)
    return order === undefined ? undefined : test(order)
  }
}

function toIn(kind: ValueKind | undefined, operand: string): FilterTest['holds'] {
  const elements = toTexts(parseArray(operand))
  if (elements === undefined) return askPostgres
  const tests = elements.map((element) =>
    element === null ? () => null : toComparison(kind, element, (order) => order === 0),
  )
  return (value) => {
    // Nothing is in an empty list, not even what is unknown.
    if (tests.length === 0) return false
    if (value === null) return null
    const verdicts = new Set(tests.map((test) => test(value)))
    if (verdicts.has(true)) return true
    return verdicts.has(undefined) ? undefined : verdicts.has(null) ? null : false
  }
}

function toLike(kind: ValueKind | undefined, pattern: string): (value: string) => Holds {
  return (kind === 'text' || kind === 'bytes' ? createLikeTest(pattern) : undefined) ?? askPostgres
}
