import type { Role, Row, Value } from './policy-model.ts'
import { tableOf } from './policy-model.ts'
import { all, negate, viewRows, visibleRows, type World } from './policy-oracle.ts'
import type { Embed, Expected, Filter, Item, Order, Read, Test } from './request-model.ts'

/** A world as one role reads it. */
export type Reader = { readonly world: World; readonly role: Role }

/** What a read must be answered with. */
export function expectRead(reader: Reader, read: Read): Expected {
  if (!mayReadOwn(reader, read)) return { kind: 'denied' }
  const rows = keptRows(reader, read, sourceRows(reader, read))
  const orDenied = !mayReadEmbeds(reader, read)
  return { kind: 'rows', rows: shownRows(reader, read, rows), total: rows.length, orDenied }
}

/** What is shown of rows that a change left behind or took away. */
export function showChanged(reader: Reader, read: Read, rows: readonly Row[]): readonly unknown[] {
  return shownRows(
    reader,
    read,
    rows.filter((row) => innersHold(reader, read, row)),
  )
}

/** Whether the columns that a read itself looks at are granted: SQL asks that whatever rows there are. */
function mayReadOwn(reader: Reader, read: Read): boolean {
  const { world, role } = reader
  const { kind, name } = read.source
  if (kind === 'view' || name.startsWith('all_')) return true
  if (kind === 'function') return grantsWhole(world, role, name.slice('list_'.length))
  return columnsOf(reader, read).every((column) => grantedColumns(world, role, name).includes(column))
}

/** The same for everything embedded; a computed relationship gives whole rows. */
export function mayReadEmbeds(reader: Reader, read: Read): boolean {
  return embedsOf(read).every((embed) => mayEmbed(reader, embed) && mayReadEmbeds(reader, embed.read))
}

function mayEmbed(reader: Reader, { read, hook }: Pick<Embed, 'read' | 'hook'>): boolean {
  const isWhole = hook.kind !== 'computed' || grantsWhole(reader.world, reader.role, read.source.name)
  return isWhole && mayReadOwn(reader, read)
}

function grantedColumns({ schema }: World, role: Role, table: string): readonly string[] {
  return role === 'owner' ? [] : tableOf(schema, table).grants[role].select
}

function grantsWhole(world: World, role: Role, table: string): boolean {
  return grantedColumns(world, role, table).length === tableOf(world.schema, table).columns.length
}

/** The columns of a read's own rows that it refers to. Keys are never withheld, so those of hooks are left out. */
export function columnsOf({ world }: Reader, { source, select, filters, order }: Read): string[] {
  const everything = (): string[] => tableOf(world.schema, source.name).columns.map(({ name }) => name)
  const selected = select.flatMap((item): string[] => {
    if (item.kind === 'all') return everything()
    if (item.kind === 'column' || item.kind === 'aggregate') return [item.column]
    return (item.kind === 'embed' || item.kind === 'spread') && item.embed.hook.kind === 'computed' ? everything() : []
  })
  return [
    ...selected,
    ...filters.flatMap(filterColumns),
    ...order.flatMap(({ embed, column }) => (embed === undefined ? [column] : [])),
  ]
}

export function filterColumns(filter: Filter): string[] {
  if (filter.kind === 'embed') return []
  return filter.kind === 'test' ? [filter.column] : filter.parts.flatMap(filterColumns)
}

export function embedsOf({ select }: Read): Embed[] {
  return select.flatMap((item) => (item.kind === 'embed' || item.kind === 'spread' ? [item.embed] : []))
}

function sourceRows({ world, role }: Reader, { source }: Read): readonly Row[] {
  const { schema } = world
  if (source.kind === 'table') return visibleRows(world, role, source.name)
  if (source.kind === 'view')
    return viewRows(
      world,
      role,
      schema.views.find(({ name }) => name === source.name)!,
    )
  const { table, as } = schema.functions.find(({ name }) => name === source.name)!
  return visibleRows(world, as === 'owner' ? 'owner' : role, table)
}

/** Rows that filters and inner embeds leave. */
function keptRows(reader: Reader, read: Read, rows: readonly Row[]): Row[] {
  return rows.filter(
    (row) =>
      all(read.filters.map((filter) => testFilter(reader, read, { filter, row }))) === true &&
      innersHold(reader, read, row),
  )
}

const innersHold = (reader: Reader, read: Read, row: Row): boolean =>
  embedsOf(read).every((embed) => !embed.inner || pagedRows(reader, embed, row).length > 0)

/** The rows of an embed that belong to a row of its parent, filtered. */
function hookedRows(reader: Reader, { hook, read }: Embed, parent: Row): Row[] {
  const rows = mayEmbed(reader, { hook, read }) ? sourceRows(reader, read) : []
  const equals = (value: Value | undefined, other: Value | undefined): boolean => value != null && value === other
  if (hook.kind !== 'through')
    return keptRows(
      reader,
      read,
      rows.filter((row) => equals(parent[hook.outer], row[hook.inner])),
    )
  const joints = visibleRows(reader.world, reader.role, hook.junction).filter((joint) =>
    equals(parent['id'], joint[hook.near]),
  )
  return keptRows(
    reader,
    read,
    rows.filter((row) => joints.some((joint) => equals(row['id'], joint[hook.far]))),
  )
}

/** As many of them as the page of the embed has room for: whether a parent has an embed is asked of its page. */
function pagedRows(reader: Reader, embed: Embed, parent: Row): Row[] {
  const { limit = Infinity, offset = 0 } = embed.read
  return hookedRows(reader, embed, parent).slice(offset, offset + limit)
}

/** Ordered, cut to the page and turned into what the answer shows. */
function shownRows(reader: Reader, read: Read, rows: readonly Row[]): unknown[] {
  const { limit, offset = 0, select } = read
  if (select.some(({ kind }) => kind === 'count' || kind === 'aggregate')) return groupRows(read, rows)
  const ordered =
    read.order.length === 0 ? rows : rows.toSorted((one, other) => compareRows(reader, read, [one, other]))
  const page = ordered.slice(offset, limit === undefined ? undefined : offset + limit)
  return page.map((row) => Object.fromEntries(showItems(reader, read, row)))
}

function showItems(reader: Reader, { select }: Read, row: Row): (readonly [string, unknown])[] {
  return select.flatMap((item) => {
    if (item.kind === 'all') return Object.entries(row)
    if (item.kind === 'column') return [[item.name, columnValue(item, row)] as const]
    return item.kind === 'embed' || item.kind === 'spread' ? showEmbed(reader, item, row) : []
  })
}

function columnValue({ column, key, cast }: Extract<Item, { kind: 'column' }>, row: Row): unknown {
  const value = fieldOf(row, column, key)
  return cast === undefined || value === null ? value : String(value)
}

function showEmbed(
  reader: Reader,
  { kind, embed }: Extract<Item, { kind: 'embed' | 'spread' }>,
  row: Row,
): (readonly [string, unknown])[] {
  const { select } = embed.read
  if (select.length === 0) return []
  const rows = shownRows(reader, embed.read, hookedRows(reader, embed, row)) as Record<string, unknown>[]
  const isOne = embed.hook.kind === 'one'
  if (kind === 'embed') return [[embed.name, isOne ? (rows[0] ?? null) : rows]]
  const names = select.flatMap((item) => (item.kind === 'column' ? [item.name] : []))
  return names.map((name) => [name, isOne ? (rows[0]?.[name] ?? null) : rows.map((each) => each[name])] as const)
}

function groupRows({ select }: Read, rows: readonly Row[]): unknown[] {
  const plain = select.filter((item) => item.kind === 'column')
  const groups = new Map<string, Row[]>()
  if (plain.length === 0) groups.set('[]', [])
  for (const row of rows) {
    const key = JSON.stringify(plain.map((item) => columnValue(item, row)))
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.values()].map((members) =>
    Object.fromEntries(
      select.map((item) => {
        if (item.kind === 'count') return [item.name, members.length]
        if (item.kind === 'aggregate') return [item.name, aggregate(item, members)]
        return item.kind === 'column' ? [item.name, columnValue(item, members[0]!)] : ['', null]
      }),
    ),
  )
}

function aggregate({ by, column }: Extract<Item, { kind: 'aggregate' }>, rows: readonly Row[]): number | null {
  const values = rows.flatMap((row) => (typeof row[column] === 'number' ? [row[column]] : []))
  if (by === 'count') return values.length
  if (values.length === 0) return null
  return by === 'sum' ? values.reduce((sum, value) => sum + value, 0) : Math[by](...values)
}

function compareRows(reader: Reader, read: Read, [one, other]: [Row, Row]): number {
  for (const order of read.order) {
    const result = compareValues(
      orderValue(reader, read, { order, row: one }),
      orderValue(reader, read, { order, row: other }),
      order,
    )
    if (result !== 0) return result
  }
  return 0
}

function orderValue(reader: Reader, read: Read, { order, row }: { order: Order; row: Row }): Value {
  if (order.embed === undefined) return row[order.column] ?? null
  const embed = embedsOf(read).find(({ name }) => name === order.embed)!
  return pagedRows(reader, embed, row)[0]?.[order.column] ?? null
}

function compareValues(one: Value, other: Value, { descending, nulls }: Order): number {
  if (one === other) return 0
  const nullsFirst = nulls === undefined ? descending : nulls === 'first'
  if (one === null || other === null) return (one === null) === nullsFirst ? -1 : 1
  return (one < other ? -1 : 1) * (descending ? -1 : 1)
}

function fieldOf(row: Row, column: string, key: string | undefined): Value {
  const value = row[column] ?? null
  if (key === undefined) return value
  const inner = typeof value === 'object' && value !== null ? (value[key] ?? null) : null
  return inner === null ? null : String(inner)
}

/** A filter over a row: true, false, or unknown. */
function testFilter(reader: Reader, read: Read, asked: { filter: Filter; row: Row }): boolean | null {
  const { filter, row } = asked
  if (filter.kind === 'embed') {
    const embed = embedsOf(read).find(({ name }) => name === filter.name)!
    return (pagedRows(reader, embed, row).length === 0) === filter.isNull
  }
  if (filter.kind === 'test') {
    const truth = runTest(fieldOf(row, filter.column, filter.key), filter.test)
    return filter.negated ? negate(truth) : truth
  }
  const parts = filter.parts.map((part) => testFilter(reader, read, { filter: part, row }))
  const truth = filter.kind === 'and' ? all(parts) : negate(all(parts.map(negate)))
  return filter.negated ? negate(truth) : truth
}

/** Whether filters over a table's own columns hold. */
export function filtersHold(filters: readonly Filter[], row: Row): boolean {
  const nothing = { source: { kind: 'table', name: '' }, select: [], filters: [], order: [] } as const
  return all(filters.map((filter) => testFilter(undefined as unknown as Reader, nothing, { filter, row }))) === true
}

function runTest(value: Value, test: Test): boolean | null {
  if (test.operator === 'is') return test.value === 'null' ? value === null : value === true
  if (test.operator === 'isdistinct') return value !== test.value
  if (value === null) return null
  switch (test.operator) {
    case 'in':
      return test.values.includes(value as string | number)
    case 'like':
      return String(value).startsWith(test.prefix)
    case 'eq':
      return value === test.value
    case 'neq':
      return value !== test.value
    case 'lt':
      return value < test.value
    case 'gte':
      return value >= test.value
  }
}
