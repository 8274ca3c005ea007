import type { CompareOperator, Operation } from '../request/query.ts'
import type { EmbedPlan, FieldPlan, FilterPlan } from '../plan/read-plan.ts'
import type { Parameters } from './parameters.ts'
import { quoteQualified } from '@pando/postgres/quote'
import { writeField } from './write-field.ts'

const comparisons: Readonly<Record<CompareOperator, string>> = {
  eq: '=',
  neq: '<>',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  like: 'like',
  ilike: 'ilike',
  match: '~',
  imatch: '~*',
  cs: '@>',
  cd: '<@',
  ov: '&&',
  sl: '<<',
  sr: '>>',
  nxl: '&>',
  nxr: '&<',
  adj: '-|-',
}

/** Their value is a pattern over the text, not a value of the column's domain. */
const patternOperators: ReadonlySet<CompareOperator> = new Set(['like', 'ilike', 'match', 'imatch'])

const tests = {
  null: 'is null',
  not_null: 'is not null',
  true: 'is true',
  false: 'is false',
  unknown: 'is unknown',
} as const

const textSearches = {
  fts: 'to_tsquery',
  plfts: 'plainto_tsquery',
  phfts: 'phraseto_tsquery',
  wfts: 'websearch_to_tsquery',
} as const

/** How the rows of an embedded resource are asked for; given by the writer of reads, which this one is part of. */
export type WriteExists = (embed: EmbedPlan) => string

/**
 * A condition. A value stands as a bare `$n`, so Postgres gives it the type that it would give a literal in its place,
 * and an index on the column is used.
 */
export function writeFilter(filter: FilterPlan, params: Parameters, writeExists: WriteExists): string {
  if (filter.kind === 'exists') return not(filter.negated, writeExists(filter.embed))
  if (filter.kind === 'condition') {
    return not(filter.negated, writeOperation(filter.field, filter.operation, params))
  }
  if (filter.children.length === 0) return not(filter.negated, filter.kind === 'and' ? 'true' : 'false')
  const children = filter.children.map((child) => writeFilter(child, params, writeExists))
  return not(filter.negated, `(${children.join(` ${filter.kind} `)})`)
}

function not(negated: boolean, condition: string): string {
  return negated ? `not (${condition})` : condition
}

function writeOperation(field: FieldPlan, operation: Operation, params: Parameters): string {
  const left = writeField(field)
  switch (operation.kind) {
    case 'compare': {
      const operator = comparisons[operation.operator]
      const value = params.add({ from: 'slot', slot: operation.slot })
      const isPattern = patternOperators.has(operation.operator)
      if (operation.quantifier === undefined) return `${left} ${operator} ${isPattern ? value : entering(field, value)}`
      return `${left} ${operator} ${operation.quantifier}(${isPattern ? value : enteringAll(field, value)})`
    }
    case 'in':
      return `${left} = any(${enteringAll(field, params.add({ from: 'slot', slot: operation.slot }))})`
    case 'is':
      return `${left} ${tests[operation.value]}`
    case 'isdistinct':
      return `${left} is distinct from ${entering(field, params.add({ from: 'slot', slot: operation.slot }))}`
    case 'fts':
      return writeTextSearch(field, operation, params)
  }
}

/** A value, passed through the domain's function from text when it has one. */
function entering({ fromText }: FieldPlan, value: string): string {
  return fromText === undefined ? value : `${quoteQualified(fromText)}(${value})`
}

function enteringAll({ fromText }: FieldPlan, values: string): string {
  if (fromText === undefined) return values
  return `array(select ${quoteQualified(fromText)}(v) from unnest(${values}::text[]) v)`
}

type TextSearch = Extract<Operation, { kind: 'fts' }>

function writeTextSearch(field: FieldPlan, operation: TextSearch, params: Parameters): string {
  const language = (): string =>
    operation.languageSlot === undefined
      ? ''
      : `${params.add({ from: 'slot', slot: operation.languageSlot })}::regconfig, `
  const left = writeField(field)
  const document = field.isTsvector ? left : `to_tsvector(${language()}${left})`
  return `${document} @@ ${textSearches[operation.operator]}(${language()}${params.add({ from: 'slot', slot: operation.slot })})`
}
