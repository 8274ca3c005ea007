import type { Relation } from '@pando/catalogue/catalogue'
import { errors } from '../errors.ts'
import type { SelectItem } from '../request/query.ts'
import { linkEmbed } from './link-embed.ts'
import type { EmbedItem } from './link-embed.ts'
import { planFilter } from './plan-filter.ts'
import { planOrder } from './plan-order.ts'
import { planSelect } from './plan-select.ts'
import type { PlannedItem } from './plan-select.ts'
import { namesBelow, ownParts, partsBelow } from './query-parts.ts'
import type { OwnParts, QueryParts } from './query-parts.ts'
import { embedMagnitude } from './page-class.ts'
import type { PageClass } from './page-class.ts'
import { isOneRow } from './is-one-row.ts'
import type { EmbedPlan, LimitPlan, ReadPlan, Source } from './read-plan.ts'
import type { RowScope } from './resolve-field.ts'
import type { Scope } from './scope.ts'
import { shardFilters } from './shard-filters.ts'

/** The rows to read from, under the alias that every reference to them uses. */
export type ReadTarget = {
  readonly source: Source
  readonly alias: string
  readonly relation?: Relation
  /** Types of columns that are of no relation. */
  readonly types?: RowScope['types']
  /** How the rows are used: `spread` rows are lifted into their parent and never grouped themselves. */
  readonly use: 'root' | 'embed' | 'spread'
  /** To-one rows need no limit. */
  readonly toOne?: boolean
  /** How many resources it is embedded in; undefined for the root. */
  readonly depth?: number
  /** Of the root: which of its rows are wanted; all when undefined. */
  readonly page?: PageClass
}

/** A resource of the request: what is selected of it and what the query string says about it. */
export type Asked = {
  readonly select: readonly SelectItem[]
  readonly parts: QueryParts
  /** The values of the query string: only the magnitude of limits is looked at. */
  readonly values: readonly string[]
}

/**
 * Plans one resource and, first, everything embedded in it: filters and orders may refer to those.
 *
 * @throws PGRST108 when a filter, order or limit speaks of a resource that is not embedded; 42712 when two embedded
 * resources have one name; PGRST127 for an aggregate in the spread of a to-many resource; and what its parts throw
 */
export function planRead(scope: Scope, target: ReadTarget, asked: Asked): ReadPlan {
  const rows: RowScope = {
    alias: target.alias,
    callsComputed: target.source.kind !== 'rows',
    relation: target.relation,
    types: target.types,
  }
  const select = target.use === 'root' && asked.select.length === 0 ? everything : asked.select
  const items = planItems(scope, target, { ...asked, select })
  const embeds = items.flatMap(({ embed }) => (embed === undefined ? [] : [embed]))
  const own = ownParts(asked.parts)
  const names = { rows, embeds }
  const outputs = planSelect(scope, rows, items, { listAll: target.use === 'spread' || target.source.kind === 'rows' })
  const filters = [
    ...own.trees.map((tree) => planFilter(scope, names, tree)),
    ...(target.source.kind === 'relation' ? shardFilters(scope, target.source.name, target.alias) : []),
  ]
  const oneRow = target.source.kind === 'relation' && isOneRow(target.relation, filters)
  const limit =
    target.use === 'root' ? rootLimit(target, oneRow) : embedLimit(scope, target, { own, values: asked.values })
  return {
    source: target.source,
    alias: target.alias,
    relation: target.relation,
    outputs,
    embeds,
    filters,
    order: own.terms.map((term) => planOrder(scope, names, term)),
    limit,
    grouped: target.use !== 'spread' && outputs.some(({ aggregate }) => aggregate !== undefined),
    isOneRow: oneRow,
  }
}

function planItems(scope: Scope, target: ReadTarget, { select, parts, values }: Asked): PlannedItem[] {
  const owners = embedOwners(select)
  for (const name of namesBelow(parts)) if (!owners.has(name)) throw errors.notEmbedded(name)
  const items = select.map((item): PlannedItem => {
    if (item.kind === 'field') return { item }
    const below = partsBelow(parts, (name) => owners.get(name) === item)
    return { item, embed: planEmbed(scope, target, { item, parts: below, values }) }
  })
  mustDiffer(target, items)
  return items
}

/** Two keys of one name would be one for the reader of the JSON. What is spread or empty has no key of its own. */
function mustDiffer({ relation, alias, depth = 0 }: ReadTarget, items: readonly PlannedItem[]): void {
  const taken = new Set<string>()
  for (const { embed } of items) {
    if (embed === undefined || embed.kind === 'spread' || embed.read.outputs.length === 0) continue
    const key = embed.alias ?? embed.name
    if (taken.has(key)) throw errors.embeddedTwice(`${relation?.name ?? alias}_${key}_${depth + 1}`)
    taken.add(key)
  }
}

/** An empty `select` at the root means all columns; an embedded resource may be empty. */
const everything: readonly SelectItem[] = [{ kind: 'field', field: { name: '*', path: [] } }]

type AskedEmbed = Omit<Asked, 'select'> & { readonly item: EmbedItem }

function planEmbed(scope: Scope, parent: ReadTarget, { item, parts, values }: AskedEmbed): EmbedPlan {
  const { source, rowAlias, relation, ...link } = linkEmbed(scope, parent, item)
  const depth = (parent.depth ?? 0) + 1
  const target: ReadTarget = { source, alias: rowAlias, use: item.kind, toOne: link.toOne, depth, relation }
  const read = planRead(scope, target, { select: item.select, parts, values })
  if (item.kind === 'spread' && !link.toOne && read.outputs.some(({ aggregate }) => aggregate !== undefined)) {
    throw errors.notImplemented('Aggregates are not implemented for one-to-many or many-to-many spreads.')
  }
  return { ...link, read }
}

/**
 * Which embedded resource a name in a path means: the one shown by that name, else the first one of it under an alias.
 */
function embedOwners(select: readonly SelectItem[]): Map<string, SelectItem> {
  const owners = new Map<string, SelectItem>()
  const embeds = select.filter((item) => item.kind !== 'field')
  for (const item of embeds) if (!owners.has(item.alias ?? item.name)) owners.set(item.alias ?? item.name, item)
  for (const item of embeds) if (!owners.has(item.name)) owners.set(item.name, item)
  return owners
}

/** A page that starts at the first row cuts nothing off when the filters leave at most one. */
function rootLimit({ page }: ReadTarget, oneRow: boolean): LimitPlan | undefined {
  if (page === undefined || page.kind === 'all') return undefined
  const fromStart = page.kind === 'max' || page.kind === 'first'
  return fromStart && oneRow ? undefined : { kind: 'root', page }
}

function embedLimit(
  scope: Scope,
  { toOne }: ReadTarget,
  { own, values }: { own: OwnParts; values: readonly string[] },
): LimitPlan | undefined {
  const { limit, offset } = own
  const max = toOne === true ? undefined : scope.config.maxRows
  if (limit === undefined && offset === undefined && max === undefined) return undefined
  return {
    kind: 'embed',
    ...(limit === undefined ? {} : { limit, expected: embedMagnitude(values, limit, offset) }),
    offset,
    max,
  }
}
