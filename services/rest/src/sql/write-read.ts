import type { EmbedPlan, Link, Output, OutputValue, ReadPlan, Source } from '../plan/read-plan.ts'
import type { Parameters } from './parameters.ts'
import { quoteName, quoteQualified } from '@pando/postgres/quote'
import { writeFilter } from './write-filter.ts'
import { liftedName, writeOutput, writeValue } from './write-output.ts'
import { writeLimited } from './write-limit.ts'
import { writeOrder } from './write-order.ts'
import { writeRow } from './write-field.ts'

/**
 * The rows of a resource: a select over its relation, with embedded resources as values of the select list. Those are
 * sub-selects and not joins: Postgres then works them out for the rows that ordering and limit leave, and nothing an
 * embedded resource finds can multiply the rows of its parent.
 */
export function writeRows(read: ReadPlan, params: Parameters, link?: Link): string {
  const embedded = (value: Extract<OutputValue, { kind: 'embed' }>): string =>
    writeEmbedded(value.embed, params, read.grouped)
  const outputs = read.outputs.map((output) => writeOutput(output, embedded))
  return selectFrom(read, params, { list: outputs.join(', '), lifts: true, link })
}

/** The rows of a spread: its columns have numbers for names, and aggregates are left to the parent. */
function writeLifted({ read, link }: EmbedPlan, params: Parameters, grouped: boolean): string {
  const embedded = (value: Extract<OutputValue, { kind: 'embed' }>): string =>
    writeEmbedded(value.embed, params, grouped)
  const outputs = read.outputs.map(({ value }, index) => `${writeValue(value, embedded)} as ${liftedName(index)}`)
  return selectFrom(read, params, { list: outputs.join(', '), lifts: true, link, grouped })
}

/** The rows without any output: what is counted, estimated, or asked whether it exists. */
export function writeBareRows(
  read: ReadPlan,
  params: Parameters,
  shape: Pick<Shape, 'link'> & Partial<Pick<Shape, 'list'>> = {},
): string {
  return selectFrom(read, params, { list: '', lifts: false, ...shape })
}

type Shape = {
  readonly list: string
  /** Whether the columns of spreads are needed; without them neither order nor grouping is. */
  readonly lifts: boolean
  readonly link?: Link
  /** Rows are grouped further up, so that values must be comparable. */
  readonly grouped?: boolean
}

function selectFrom(read: ReadPlan, params: Parameters, shape: Shape): string {
  const { list, lifts, link } = shape
  const grouped = shape.grouped ?? read.grouped
  const parts = [list === '' ? 'select' : `select ${list}`, `from ${writeSource(read.source, read.alias)}`]
  if (link?.kind === 'junction') parts.push(`, ${quoteQualified(link.junction)} as ${quoteName(link.alias)}`)
  if (lifts) for (const embed of read.embeds) if (isLifted(embed)) parts.push(writeSpread(embed, params, grouped))
  const conditions = [...writeLink(link, read.alias), ...writeConditions(read, params, link)]
  if (conditions.length > 0) parts.push(`where ${conditions.join(' and ')}`)
  if (lifts && read.grouped) parts.push(writeGrouping(read.outputs))
  if (lifts && read.order.length > 0) parts.push(`order by ${writeOrders(read, params)}`)
  const rows = parts.join(' ')
  return read.limit === undefined ? rows : writeLimited(rows, read.limit, { params, isPage: lifts })
}

/** `relation as alias`; the alias is what errors of Postgres call the relation. */
function writeSource(source: Source, alias: string): string {
  switch (source.kind) {
    case 'relation':
      return `${quoteQualified(source.name)} as ${quoteName(alias)}`
    case 'rows':
      return `${quoteName(source.name)} as ${quoteName(alias)}`
    case 'computed':
      return `${quoteQualified(source.routine)}(${writeRow(source.row)}) as ${quoteName(alias)}`
  }
}

function writeLink(link: Link | undefined, alias: string): string[] {
  if (link === undefined || link.kind === 'computed') return []
  const equal = (left: [string, string], right: [string, string]): string =>
    `${left.map(quoteName).join('.')} = ${right.map(quoteName).join('.')}`
  if (link.kind === 'columns') {
    return link.pairs.map(([parent, child]) => equal([alias, child], [link.parent, parent]))
  }
  return [
    ...link.parentPairs.map(([parent, junction]) => equal([link.alias, junction], [link.parent, parent])),
    ...link.childPairs.map(([child, junction]) => equal([alias, child], [link.alias, junction])),
  ]
}

function writeConditions(read: ReadPlan, params: Parameters, link: Link | undefined): string[] {
  const exists = (embed: EmbedPlan): string => `exists(${writeBareRows(embed.read, params, { link: embed.link })})`
  const ofLink = link?.kind === 'junction' ? link.filters : []
  return [
    ...[...ofLink, ...read.filters].map((filter) => writeFilter(filter, params, exists)),
    ...read.embeds.filter(({ inner }) => inner).map(exists),
  ]
}

/** Whether an embed is joined to its parent's rows because its columns become columns there. */
function isLifted(embed: EmbedPlan): boolean {
  return embed.kind === 'spread' && embed.read.outputs.length > 0
}

/** Joins a spread: the row of a to-one, or one array for each column of a to-many. */
function writeSpread(embed: EmbedPlan, params: Parameters, grouped: boolean): string {
  const alias = quoteName(embed.spreadAlias)
  const rows = writeLifted(embed, params, grouped)
  if (embed.toOne) return `left join lateral (${firstOf(embed, rows)}) as ${alias} on true`
  const arrays = embed.read.outputs.map((_, index) => {
    const name = liftedName(index)
    return `coalesce(${grouped ? 'jsonb_agg' : 'json_agg'}(r.${name}), '[]') as ${name}`
  })
  return `left join lateral (select ${arrays.join(', ')} from (${rows}) as r) as ${alias} on true`
}

/** An embedded resource as a JSON value; `jsonb` where rows are grouped by it. */
function writeEmbedded(embed: EmbedPlan, params: Parameters, grouped: boolean): string {
  const rows = writeRows(embed.read, params, embed.link)
  const cast = grouped ? '::jsonb' : ''
  if (embed.toOne) return `(select row_to_json(r.*)${cast} from (${firstOf(embed, rows)}) as r)`
  return `(select coalesce(json_agg(r.*), '[]')${cast} from (${rows}) as r)`
}

/** At most one row of a to-one, where no key sees to that. */
function firstOf({ mayRepeat, read }: EmbedPlan, rows: string): string {
  if (!mayRepeat) return rows
  return read.limit === undefined ? `${rows} limit 1` : `select * from (${rows}) as o limit 1`
}

function writeGrouping(outputs: readonly Output[]): string {
  const positions = outputs.flatMap(({ aggregate }, index) => (aggregate === undefined ? [index + 1] : []))
  return positions.length === 0 ? '' : `group by ${positions.join(', ')}`
}

function writeOrders(read: ReadPlan, params: Parameters): string {
  const related = (embed: EmbedPlan, field: string): string => {
    const rows = selectFrom(embed.read, params, { list: field, lifts: false, link: embed.link })
    return `(${firstOf(embed, rows)})`
  }
  return read.order.map((order) => writeOrder(order, related)).join(', ')
}
