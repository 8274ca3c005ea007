import * as fc from 'fast-check'
import type {
  CompareOperator,
  Condition,
  FieldRef,
  JsonStep,
  LogicTree,
  Operation,
  OrderTerm,
  ParsedQuery,
  SelectItem,
} from '../query.ts'

/**
 * A query as the tests draw it: the printed parameters, and the parts of the tree that reading them must give. `values`
 * are in the order in which they were printed, so that slots can be counted while printing.
 */
export type QueryModel = { readonly raw: string; readonly tree: Omit<ParsedQuery, 'shape'> }

/** What is drawn: every value in place of its slot. */
type Drawn = {
  readonly select: readonly SelectItem[]
  readonly filters: readonly { readonly path: readonly string[]; readonly tree: DrawnTree }[]
  readonly orders: readonly { readonly path: readonly string[]; readonly terms: readonly OrderTerm[] }[]
  readonly limit?: number
  readonly offset?: number
  readonly columns?: readonly string[]
}
type DrawnTree =
  | { readonly kind: 'and' | 'or'; readonly negated: boolean; readonly children: readonly DrawnTree[] }
  | { readonly kind: 'condition'; readonly field: FieldRef; readonly negated: boolean; readonly test: DrawnTest }
type DrawnTest =
  | {
      readonly is: 'compare'
      readonly operator: CompareOperator
      readonly quantifier?: 'any' | 'all'
      readonly value: string
    }
  | { readonly is: 'in'; readonly list: readonly string[] }
  | { readonly is: 'is'; readonly value: (Operation & { kind: 'is' })['value'] }
  | { readonly is: 'isdistinct'; readonly value: string }
  | {
      readonly is: 'fts'
      readonly operator: 'fts' | 'plfts' | 'phfts' | 'wfts'
      readonly language?: string
      readonly value: string
    }

const wellFormed = (text: string) => text.toWellFormed().replaceAll('\0', '')
const anyText = fc.string({ unit: 'binary', maxLength: 8 }).map(wellFormed)
const tricky = fc.string({ unit: fc.constantFrom(...'a"\\,.():*&=+%{}! -> é😀'), maxLength: 6 })
const text = fc.oneof(anyText, tricky)

/** Few names, so that different queries are often alike; some need quotes. */
const name = fc.oneof(
  fc.constantFrom('a', 'b', 'id', 'order', 'and', 'not', 'count', 'inner', 'sum', 'über', 'x-y'),
  text.filter((text) => text !== '' && text !== '*'),
)
const step: fc.Arbitrary<JsonStep> = fc.oneof(
  fc.record({ arrow: fc.constantFrom('->' as const, '->>' as const), key: text, isIndex: fc.constant(false) }),
  fc.record({
    arrow: fc.constantFrom('->' as const, '->>' as const),
    key: fc.integer({ min: -99, max: 99 }).map(String),
    isIndex: fc.constant(true),
  }),
)
const field: fc.Arbitrary<FieldRef> = fc.record({ name, path: fc.array(step, { maxLength: 2 }) })
const cast = fc.option(fc.constantFrom('text', 'int', 'double precision'), { nil: undefined })
const optionalName = fc.option(name, { nil: undefined })

const { item } = fc.letrec<{ item: SelectItem; items: readonly SelectItem[] }>((tie) => ({
  item: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant({ kind: 'field' as const, field: { name: '*', path: [] } }),
    fc.record({ kind: fc.constant('field' as const), field, alias: optionalName, cast }),
    fc.record({
      kind: fc.constant('field' as const),
      field: fc.option(field, { nil: undefined }),
      alias: optionalName,
      aggregate: fc.record({ name: fc.constant('count' as const), cast }),
    }),
    fc.record({
      kind: fc.constant('field' as const),
      field,
      cast,
      aggregate: fc.record({
        name: fc.constantFrom('avg' as const, 'max' as const, 'min' as const, 'sum' as const),
        cast,
      }),
    }),
    fc.record({
      kind: fc.constant('embed' as const),
      name,
      alias: optionalName,
      hint: optionalName,
      join: fc.constantFrom('inner' as const, 'left' as const, undefined),
      select: tie('items'),
    }),
    fc.record({ kind: fc.constant('spread' as const), name, hint: optionalName, select: tie('items') }),
  ),
  items: fc.array(tie('item'), { maxLength: 3 }),
}))

const quantified = fc.constantFrom(
  'eq',
  'gte',
  'gt',
  'lte',
  'lt',
  'like',
  'ilike',
  'match',
  'imatch',
) as fc.Arbitrary<CompareOperator>
const unquantified = fc.constantFrom(
  'neq',
  'cs',
  'cd',
  'ov',
  'sl',
  'sr',
  'nxr',
  'nxl',
  'adj',
) as fc.Arbitrary<CompareOperator>
const test: fc.Arbitrary<DrawnTest> = fc.oneof(
  fc.record({
    is: fc.constant('compare' as const),
    operator: quantified,
    quantifier: fc.constantFrom('any' as const, 'all' as const, undefined),
    value: text,
  }),
  fc.record({ is: fc.constant('compare' as const), operator: unquantified, value: text }),
  fc.record({ is: fc.constant('in' as const), list: fc.array(text, { minLength: 1, maxLength: 3 }) }),
  fc.record({
    is: fc.constant('is' as const),
    value: fc.constantFrom('null' as const, 'not_null' as const, 'true' as const, 'false' as const, 'unknown' as const),
  }),
  fc.record({ is: fc.constant('isdistinct' as const), value: text }),
  fc.record({
    is: fc.constant('fts' as const),
    operator: fc.constantFrom('fts' as const, 'plfts' as const, 'phfts' as const, 'wfts' as const),
    language: fc.constantFrom('english', undefined),
    value: text,
  }),
)
const condition = fc.record({ kind: fc.constant('condition' as const), field, negated: fc.boolean(), test })
const { group } = fc.letrec<{ tree: DrawnTree; group: DrawnTree }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small', withCrossShrink: true }, condition, tie('group')),
  group: fc.record({
    kind: fc.constantFrom('and' as const, 'or' as const),
    negated: fc.boolean(),
    children: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
  }),
}))

const path = fc.array(
  name.filter((name) => name !== 'not'),
  { maxLength: 2 },
)
const term: fc.Arbitrary<OrderTerm> = fc.record({
  embed: optionalName,
  field,
  direction: fc.constantFrom('asc' as const, 'desc' as const, undefined),
  nulls: fc.constantFrom('first' as const, 'last' as const, undefined),
})
const count = fc.option(fc.nat(), { nil: undefined })

export const drawnQuery: fc.Arbitrary<Drawn> = fc.record({
  select: fc.array(item, { minLength: 1, maxLength: 4 }),
  filters: fc.array(fc.record({ path, tree: fc.oneof(condition, group) }), { maxLength: 3 }),
  orders: fc.array(fc.record({ path, terms: fc.array(term, { minLength: 1, maxLength: 3 }) }), { maxLength: 2 }),
  limit: count,
  offset: count,
  columns: fc.option(fc.uniqueArray(name, { minLength: 1, maxLength: 3 }), { nil: undefined }),
})

/** Prints a drawn query and counts its slots; `revalue` may change what every value is. */
export function toModel(drawn: Drawn, revalue: (value: string) => string = (value) => value): QueryModel {
  const values: string[] = []
  const parameters: (readonly [key: string, text: string])[] = []
  const take = (value: string) => values.push(value) - 1
  const filters = drawn.filters.map(({ path, tree }) => {
    const { key, text } = printParameter(tree, revalue)
    parameters.push([[...path.map(quoted), key].join('.'), text])
    return { path, tree: withSlots(tree, take, revalue) }
  })
  for (const { path, terms } of drawn.orders)
    parameters.push([[...path.map(quoted), 'order'].join('.'), terms.map(printTerm).join(',')])
  const page = (key: 'limit' | 'offset', number: number | undefined) => {
    if (number === undefined) return []
    parameters.push([key, String(number)])
    return [{ path: [], slot: take(String(number)) }]
  }
  const [limits, offsets] = [page('limit', drawn.limit), page('offset', drawn.offset)]
  parameters.push(['select', printSelect(drawn.select)])
  if (drawn.columns !== undefined) parameters.push(['columns', drawn.columns.map(quoted).join(',')])
  const raw = parameters.map(([key, text]) => `${encodeURIComponent(key)}=${encodeURIComponent(text)}`).join('&')
  const { select, orders, columns } = drawn
  return { raw, tree: { values, select, filters, orders, limits, offsets, columns, args: [] } }
}

function withSlots(tree: DrawnTree, take: (value: string) => number, revalue: (value: string) => string): LogicTree {
  if (tree.kind !== 'condition')
    return { ...tree, children: tree.children.map((child) => withSlots(child, take, revalue)) }
  const { field, negated, test } = tree
  const made: Condition = { kind: 'condition', field, negated, operation: toOperation(test, take, revalue) }
  return made
}

function toOperation(test: DrawnTest, take: (value: string) => number, revalue: (value: string) => string): Operation {
  switch (test.is) {
    case 'is':
      return { kind: 'is', value: test.value }
    case 'in':
      return { kind: 'in', slot: take(arrayLiteral(test.list.map(revalue))) }
    case 'isdistinct':
      return { kind: 'isdistinct', slot: take(revalue(test.value)) }
    case 'fts': {
      const languageSlot = test.language === undefined ? undefined : take(test.language)
      return { kind: 'fts', operator: test.operator, languageSlot, slot: take(revalue(test.value)) }
    }
    default: {
      const value = revalue(test.value)
      const isPattern = test.operator === 'like' || test.operator === 'ilike'
      const slot = take(isPattern ? value.replaceAll('*', '%') : value)
      return { kind: 'compare', operator: test.operator, quantifier: test.quantifier, slot }
    }
  }
}

function arrayLiteral(list: readonly string[]): string {
  if (list.length === 1 && list[0] === '') return '{}'
  return `{${list.map((value) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`
}

function quoted(name: string): string {
  return `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

function printField({ name, path }: FieldRef): string {
  if (name === '*' && path.length === 0) return '*'
  const steps = path.map(({ arrow, key, isIndex }) => arrow + (isIndex ? key : quoted(key)))
  return quoted(name) + steps.join('')
}

function printSelect(items: readonly SelectItem[]): string {
  return items.map(printItem).join(',')
}

function printItem(item: SelectItem): string {
  if (item.kind === 'field') {
    const alias = item.alias === undefined ? '' : `${quoted(item.alias)}:`
    const target = item.field === undefined ? 'count()' : printTarget(item)
    const outer = item.aggregate?.cast === undefined ? '' : `::${item.aggregate.cast}`
    return alias + target + outer
  }
  const start = item.kind === 'spread' ? '...' : item.alias === undefined ? '' : `${quoted(item.alias)}:`
  const hint = item.hint === undefined ? '' : `!${quoted(item.hint)}`
  const join = item.join === undefined ? '' : `!${item.join}`
  return `${start}${quoted(item.name)}${hint}${join}(${printSelect(item.select)})`
}

function printTarget(item: SelectItem & { kind: 'field' }): string {
  const inner = item.cast === undefined ? '' : `::${item.cast}`
  const aggregate = item.aggregate === undefined ? '' : `.${item.aggregate.name}()`
  return (item.field === undefined ? '' : printField(item.field)) + inner + aggregate
}

function printTerm({ embed, field, direction, nulls }: OrderTerm): string {
  const target = embed === undefined ? printField(field) : `${quoted(embed)}(${printField(field)})`
  return target + (direction === undefined ? '' : `.${direction}`) + (nulls === undefined ? '' : `.nulls${nulls}`)
}

function printParameter(tree: DrawnTree, revalue: (value: string) => string): { key: string; text: string } {
  if (tree.kind === 'condition') {
    const operation = printTest(tree.test, revalue, (value) => value)
    return { key: printField(tree.field), text: (tree.negated ? 'not.' : '') + operation }
  }
  const key = (tree.negated ? 'not.' : '') + tree.kind
  return { key, text: `(${tree.children.map((child) => printTree(child, revalue)).join(',')})` }
}

function printTree(tree: DrawnTree, revalue: (value: string) => string): string {
  const negation = tree.negated ? 'not.' : ''
  if (tree.kind !== 'condition') {
    return `${negation}${tree.kind}(${tree.children.map((child) => printTree(child, revalue)).join(',')})`
  }
  return `${printField(tree.field)}.${negation}${printTest(tree.test, revalue, quoted)}`
}

/** `write` says how a single value is written; the elements of a list are always quoted. */
function printTest(test: DrawnTest, revalue: (value: string) => string, write: (value: string) => string): string {
  const print = (value: string) => write(revalue(value))
  switch (test.is) {
    case 'is':
      return `is.${test.value}`
    case 'in':
      return `in.(${test.list.map((value) => quoted(revalue(value))).join(',')})`
    case 'isdistinct':
      return `isdistinct.${print(test.value)}`
    case 'fts':
      return `${test.operator}${test.language === undefined ? '' : `(${test.language})`}.${print(test.value)}`
    default:
      return `${test.operator}${test.quantifier === undefined ? '' : `(${test.quantifier})`}.${print(test.value)}`
  }
}
