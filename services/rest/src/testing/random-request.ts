import { words } from './callers.ts'
import type { Dice } from './dice.ts'
import type { Column, Schema, Table } from './policy-model.ts'
import { tableOf } from './policy-model.ts'
import { type FoundHook, hooksOf } from './random-hooks.ts'
import { randomValue } from './random-schema.ts'
import type { Ask, Embed, Filter, Item, Order, Read, Source, Test } from './request-model.ts'

/** A read of anything that a schema shows. */
export function randomRead(dice: Dice, schema: Schema): Extract<Ask, { kind: 'read' }> {
  const source = dice.of(sourcesOf(schema))
  const ordered = dice.chance(50)
  const depth = dice.of([0, 1, 1, 2])
  if (dice.chance(12)) return { kind: 'read', read: randomGroups(dice, schema, source), counted: false, ordered: false }
  return {
    kind: 'read',
    read: randomRows(dice, schema, { source, depth, ordered }),
    counted: dice.chance(35),
    ordered,
  }
}

function sourcesOf({ tables, views, functions }: Schema): Source[] {
  const named =
    (kind: Source['kind']) =>
    ({ name }: { name: string }): Source => ({ kind, name })
  // Tables are asked most.
  return [...tables, ...tables, ...tables]
    .map(named('table'))
    .concat(views.map(named('view')), functions.map(named('function')))
}

/** The columns that a source shows. */
export function shownColumns(schema: Schema, source: Source): readonly Column[] {
  const { table, columns } = baseOf(schema, source)
  return columns === undefined ? table.columns : table.columns.filter(({ name }) => columns.includes(name))
}

export function baseOf(schema: Schema, { kind, name }: Source): { table: Table; columns?: readonly string[] } {
  if (kind === 'table') return { table: tableOf(schema, name) }
  const found =
    kind === 'view'
      ? schema.views.find((each) => each.name === name)!
      : schema.functions.find((each) => each.name === name)!
  return { table: tableOf(schema, found.table), ...('columns' in found ? { columns: found.columns } : {}) }
}

type Wanted = { readonly source: Source; readonly depth: number; readonly ordered: boolean; readonly avoid?: string }

export function randomRows(dice: Dice, schema: Schema, { source, depth, ordered, avoid }: Wanted): Read {
  const columns = shownColumns(schema, source)
  const hooks = hooksOf(schema, source).filter(
    ({ child }) => avoid === undefined || baseOf(schema, child).table.name !== avoid,
  )
  const chosen = depth === 0 ? [] : withoutTwins(dice.some(hooks, hooks.length > 3 ? 25 : 40)).slice(0, 2)
  const embeds = chosen.map((hook, index) => {
    // A filter on a name that is both a column's and an embed's is about the embed; an alias keeps them apart.
    const kind = columns.some(({ name }) => name === hook.name)
      ? 'embed'
      : dice.of(['embed', 'embed', 'spread'] as const)
    const below = { source: hook.child, depth: depth - 1, ordered, kind, avoid, isMany: hook.hook.kind !== 'one' }
    const read = randomEmbedded(dice, schema, below)
    const name = kind === 'spread' ? hook.name : `e${depth}${index}`
    const inner = read.select.length === 0 || dice.chance(30)
    return { kind, embed: { target: hook.target, name, hook: hook.hook, inner, read } } as const
  })
  const order = ordered
    ? randomOrder(dice, { columns, key: keyOf(schema, source), embeds: embeds.map(({ embed }) => embed) })
    : []
  const page = ordered && dice.chance(30)
  return {
    source,
    select: [...randomItems(dice, columns), ...embeds],
    filters: randomFilters(
      dice,
      columns,
      embeds.map(({ embed }) => embed),
    ),
    order,
    ...(page ? { limit: dice.number(1, 5) } : {}),
    ...(page && dice.chance(50) ? { offset: dice.number(0, 3) } : {}),
  }
}

/** Paths name an embedded resource by its name, so it stands there once. */
function withoutTwins(hooks: readonly FoundHook[]): FoundHook[] {
  return hooks.filter(
    ({ child, name }, index) =>
      !hooks.slice(0, index).some((each) => each.name === name || each.child.name === child.name),
  )
}

function keyOf(schema: Schema, source: Source): readonly string[] {
  return baseOf(schema, source).table.primaryKey
}

type Embedded = Wanted & { readonly kind: 'embed' | 'spread'; readonly isMany: boolean }

/** Spreads show plain columns; an embed may count its rows or, shown empty, only filter its parent. */
function randomEmbedded(dice: Dice, schema: Schema, wanted: Embedded): Read {
  const { source, kind, ordered } = wanted
  if (kind === 'spread') {
    const columns = shownColumns(schema, source)
    const select = randomItems(dice, columns, `s${wanted.depth}${source.name}`).filter((item) => item.kind === 'column')
    const shown = select.length === 0 ? [columnItem(`s${wanted.depth}${source.name}`, columns[0]!.name)] : select
    const order = ordered ? randomOrder(dice, { columns, key: keyOf(schema, source), embeds: [] }) : []
    return { source, select: shown, filters: randomFilters(dice, columns, []), order }
  }
  const flat = (): Read => randomRows(dice, schema, { ...wanted, depth: 0, ordered: false })
  if (dice.chance(10)) return { ...flat(), select: [] }
  if (wanted.isMany && dice.chance(10)) return { ...flat(), select: [{ kind: 'count', name: 'n' }] }
  return randomRows(dice, schema, wanted)
}

const columnItem = (name: string, column: string): Item => ({ kind: 'column', name, column })

function randomItems(dice: Dice, columns: readonly Column[], prefix = 'a'): Item[] {
  if (prefix === 'a' && dice.chance(25)) return [{ kind: 'all' }]
  const chosen = dice.some(columns, 45)
  return (chosen.length === 0 ? [dice.of(columns)] : chosen).map(({ name, type }, index): Item => {
    const item = { kind: 'column', name: `${prefix}${index}`, column: name } as const
    if (type === 'jsonb' && dice.chance(60)) return { ...item, key: dice.of(['k', 't', 'none']) }
    return type === 'int4' && dice.chance(20) ? { ...item, cast: 'text' } : item
  })
}

function randomGroups(dice: Dice, schema: Schema, source: Source): Read {
  const columns = shownColumns(schema, source)
  const numbers = columns.filter(({ type }) => type === 'int4')
  const plain = dice
    .some(
      columns.filter(({ type }) => type !== 'jsonb'),
      20,
    )
    .map(({ name }, index) => columnItem(`a${index}`, name))
  const by = dice.of(['sum', 'min', 'max', 'count'] as const)
  const aggregate: Item = { kind: 'aggregate', name: 'found', column: dice.of(numbers).name, by }
  return {
    source,
    select: [...plain, dice.chance(50) ? { kind: 'count', name: 'n' } : aggregate],
    filters: randomFilters(dice, columns, []),
    order: [],
  }
}

type Ordered = {
  readonly columns: readonly Column[]
  readonly key: readonly string[]
  readonly embeds: readonly Embed[]
}

/** The key comes last, so that there is one order. */
function randomOrder(dice: Dice, { columns, key, embeds }: Ordered): Order[] {
  const nulls = (): Pick<Order, 'nulls'> => (dice.chance(30) ? { nulls: dice.of(['first', 'last'] as const) } : {})
  const sortable = columns.filter(({ type }) => type !== 'jsonb')
  const own = dice.chance(60) ? [{ column: dice.of(sortable).name, descending: dice.chance(50), ...nulls() }] : []
  const ones = embeds.filter(({ hook, read }) => hook.kind === 'one' && read.select.length > 0)
  const related =
    ones.length > 0 && dice.chance(60)
      ? [{ column: 'id', embed: ones[0]!.name, descending: dice.chance(50), ...nulls() }]
      : []
  return [...related, ...own, ...key.map((column) => ({ column, descending: dice.chance(20) }))]
}

export function randomFilters(dice: Dice, columns: readonly Column[], embeds: readonly Embed[]): Filter[] {
  const count = dice.of([0, 0, 0, 1, 1, 2])
  return dice.times(count, () => randomFilter(dice, columns, { embeds, depth: 2 }))
}

type FilterScope = { readonly embeds: readonly Embed[]; readonly depth: number }

function randomFilter(dice: Dice, columns: readonly Column[], scope: FilterScope): Filter {
  const { embeds, depth } = scope
  if (depth > 0 && dice.chance(25)) {
    const parts = dice.times(dice.number(1, 3), () => randomFilter(dice, columns, { embeds, depth: depth - 1 }))
    return { kind: dice.of(['and', 'or']), negated: dice.chance(25), parts }
  }
  if (embeds.length > 0 && dice.chance(25))
    return { kind: 'embed', name: dice.of(embeds).name, isNull: dice.chance(50) }
  const { name, type } = dice.of(columns)
  const negated = dice.chance(20)
  if (type === 'jsonb') return { kind: 'test', column: name, key: 't', negated, test: randomTest(dice, 'text') }
  return { kind: 'test', column: name, negated, test: randomTest(dice, type) }
}

function randomTest(dice: Dice, type: Column['type']): Test {
  if (dice.chance(15)) return { operator: 'is', value: type === 'bool' ? dice.of(['null', 'true']) : 'null' }
  const value = (): string | number | boolean => {
    const found = randomValue(dice, type)
    return found === null || typeof found === 'object' ? value() : found
  }
  if (type === 'bool') return { operator: dice.of(['eq', 'neq', 'isdistinct']), value: value() }
  if (type === 'text' && dice.chance(20)) return { operator: 'like', prefix: dice.of(words).slice(0, 1) }
  if (dice.chance(20))
    return { operator: 'in', values: dice.times(dice.number(1, 3), () => value() as string | number) }
  return {
    operator: dice.of(type === 'uuid' ? ['eq', 'neq', 'isdistinct'] : ['eq', 'neq', 'lt', 'gte', 'isdistinct']),
    value: value(),
  }
}
