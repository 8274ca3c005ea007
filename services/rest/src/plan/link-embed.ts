import type { Relation, Relationship } from '@pando/catalogue/catalogue'
import type { SelectItem } from '../request/query.ts'
import type { EmbedPlan, Link, Source } from './read-plan.ts'
import { resolveEmbed } from './resolve-embed.ts'
import { findRelation, isView } from './scope.ts'
import type { Scope } from './scope.ts'
import { shardFilters } from './shard-filters.ts'

export type EmbedItem = Exclude<SelectItem, { kind: 'field' }>

/** The rows that embed: where they come from, under which alias, of which relation. */
export type Parent = { readonly source: Source; readonly alias: string; readonly relation?: Relation }

/** An embedded resource as far as it depends on its relationship alone. */
export type LinkedEmbed = Omit<EmbedPlan, 'read'> & {
  readonly source: Source
  readonly rowAlias: string
  readonly relation?: Relation
}

/** The name under which mutated rows carry themselves as one value, for functions that take the row. */
export const rowColumn = 'pando_row'

/**
 * Finds how an embedded resource hangs on its parent.
 *
 * @throws PGRST200, PGRST201
 */
export function linkEmbed(scope: Scope, parent: Parent, item: EmbedItem): LinkedEmbed {
  const { name, hint } = item
  const origin = parent.relation ?? { schema: scope.schema, name: parent.alias }
  const relationship = resolveEmbed(scope, origin, { target: name, hint })
  const toOne = isToOne(relationship)
  const rowAlias = scope.alias(`${relationship.to.name}_1`)
  const relation = findRelation(scope, relationship.to)
  return {
    name,
    alias: item.alias,
    kind: item.kind,
    toOne,
    inner: item.join === 'inner',
    link: linkOf(scope, relationship, parent.alias),
    mayRepeat: toOne && (relationship.via.kind === 'computed' || isView(scope, relationship.to)),
    spreadAlias: scope.alias(`${rowAlias}_lifted`),
    source: sourceOf(relationship, parent),
    rowAlias,
    relation,
  }
}

function isToOne({ via }: Relationship): boolean {
  if (via.kind === 'computed') return via.toOne
  return via.kind === 'many-to-one' || via.kind === 'one-to-one'
}

function sourceOf({ via, to }: Relationship, parent: Parent): Source {
  if (via.kind !== 'computed') return { kind: 'relation', name: { schema: to.schema, name: to.name } }
  const carried = parent.source.kind === 'rows' ? { column: rowColumn } : {}
  return { kind: 'computed', routine: via.routine, row: { alias: parent.alias, ...carried } }
}

function linkOf(scope: Scope, { via }: Relationship, parent: string): Link {
  if (via.kind === 'computed') return { kind: 'computed' }
  if (via.kind !== 'many-to-many') return { kind: 'columns', parent, pairs: via.columns }
  const alias = scope.alias(`${via.junction.name}_1`)
  return {
    kind: 'junction',
    parent,
    junction: via.junction,
    alias,
    parentPairs: via.fromColumns,
    childPairs: via.toColumns,
    filters: shardFilters(scope, via.junction, alias),
  }
}
