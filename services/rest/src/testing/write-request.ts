import type { Ask, Embed, Filter, Item, Order, Read, Test } from './request-model.ts'

/** A request as it goes over the wire. */
export type WireRequest = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** The address, headers and body of a request for tables of `schema`. */
export function writeRequest(ask: Ask, schema: string): WireRequest {
  if (ask.kind === 'read') {
    const prefer: Record<string, string> = ask.counted ? { prefer: 'count=exact' } : {}
    const { kind, name } = ask.read.source
    const path = `/rest/v1/${kind === 'function' ? `rpc/${name}` : name}${writeQuery(writeRead(ask.read))}`
    return { method: 'GET', path, headers: { 'accept-profile': schema, ...prefer } }
  }
  const { change, shown, table, keeps } = ask
  const prefer = [
    `tx=${keeps ? 'commit' : 'rollback'}`,
    `return=${shown === undefined ? 'minimal' : 'representation'}`,
    'count=exact',
  ]
  if (change.kind === 'insert' && change.conflict !== undefined) prefer.push(`resolution=${change.conflict}-duplicates`)
  const query = [
    ...(change.kind === 'insert' ? [] : change.filters.map((filter) => writeFilterParameter(filter, ''))),
    ...(shown === undefined ? [] : writeRead(shown)),
  ]
  const method = { insert: 'POST', update: 'PATCH', delete: 'DELETE' }[change.kind]
  return {
    method,
    path: `/rest/v1/${table}${writeQuery(query)}`,
    headers: { 'content-profile': schema, 'content-type': 'application/json', prefer: prefer.join(',') },
    ...(change.kind === 'delete' ? {} : { body: JSON.stringify(change.kind === 'insert' ? change.rows : change.set) }),
  }
}

const writeQuery = (parameters: readonly string[]): string =>
  parameters.length === 0 ? '' : `?${parameters.join('&')}`

function writeRead(read: Read): string[] {
  const select = writeItems(read)
  return [...(select === '' ? [] : [`select=${select}`]), ...writeParts(read, '')]
}

function writeItems({ select }: Read): string {
  return select.map(writeItem).join(',')
}

function writeItem(item: Item): string {
  switch (item.kind) {
    case 'all':
      return '*'
    case 'column':
      return `${item.name}:${item.column}${item.key === undefined ? '' : `->>${item.key}`}${item.cast === undefined ? '' : `::${item.cast}`}`
    case 'count':
      return `${item.name}:count()`
    case 'aggregate':
      return `${item.name}:${item.column}.${item.by}()`
    case 'embed':
      return `${item.embed.name}:${writeEmbed(item.embed)}`
    case 'spread':
      return `...${writeEmbed(item.embed)}`
  }
}

function writeEmbed({ target, inner, read }: Embed): string {
  return `${target}${inner ? '!inner' : ''}(${writeItems(read)})`
}

/** Filters, order and page of a read and of everything embedded in it; `path` stands in front of each. */
function writeParts(read: Read, path: string): string[] {
  const embeds = read.select.flatMap((item) => (item.kind === 'embed' || item.kind === 'spread' ? [item.embed] : []))
  return [
    ...read.filters.map((filter) => writeFilterParameter(filter, path)),
    ...(read.order.length === 0 ? [] : [`${path}order=${read.order.map(writeOrder).join(',')}`]),
    ...(read.limit === undefined ? [] : [`${path}limit=${read.limit}`]),
    ...(read.offset === undefined ? [] : [`${path}offset=${read.offset}`]),
    ...embeds.flatMap((embed) => writeParts(embed.read, `${path}${embed.name}.`)),
  ]
}

function writeOrder({ column, embed, descending, nulls }: Order): string {
  const field = embed === undefined ? column : `${embed}(${column})`
  return `${field}.${descending ? 'desc' : 'asc'}${nulls === undefined ? '' : `.nulls${nulls}`}`
}

function writeFilterParameter(filter: Filter, path: string): string {
  if (isTree(filter)) {
    return `${path}${filter.negated ? 'not.' : ''}${filter.kind}=(${filter.parts.map(writeFilter).join(',')})`
  }
  const [field, condition] = splitTest(filter)
  return `${path}${field}=${condition}`
}

function writeFilter(filter: Filter): string {
  if (isTree(filter)) {
    return `${filter.negated ? 'not.' : ''}${filter.kind}(${filter.parts.map(writeFilter).join(',')})`
  }
  return splitTest(filter).join('.')
}

type FilterTree = Extract<Filter, { parts: unknown }>

const isTree = (filter: Filter): filter is FilterTree => 'parts' in filter

function splitTest(filter: Exclude<Filter, FilterTree>): [field: string, condition: string] {
  if (filter.kind === 'embed') return [filter.name, filter.isNull ? 'is.null' : 'not.is.null']
  const field = filter.key === undefined ? filter.column : `${filter.column}->>${filter.key}`
  return [field, `${filter.negated ? 'not.' : ''}${writeTest(filter.test)}`]
}

function writeTest(test: Test): string {
  switch (test.operator) {
    case 'in':
      return `in.(${test.values.join(',')})`
    case 'like':
      return `like.${test.prefix}*`
    default:
      return `${test.operator}.${test.value}`
  }
}
