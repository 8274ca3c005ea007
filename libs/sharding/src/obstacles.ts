import { nameKey } from '@pando/catalogue/catalogue'
import type { ForeignKeyFact, PolicyFact, ShardFacts, TableFact, UniqueFact } from './facts.ts'
import { isSame, quotedName, shownName } from './names.ts'
import {
  keyType,
  type Obstacle,
  type Place,
  type PlacedTable,
  type PlanContext,
  referenceBytesMax,
} from './shard-plan.ts'
import { suggestPolicy } from './suggest-policy.ts'

/** All that stands in the way of one table. */
export function listObstacles(context: PlanContext, placed: PlacedTable): Obstacle[] {
  const { table, place } = placed
  const own = context.facts.foreignKeys.filter(({ from }) => isSame(from, table))
  const ofKeys = own.flatMap((foreignKey) => refuseForeignKey(context, placed, foreignKey))
  if (place.kind === 'local') return [...refuseMove(context.facts, placed), ...ofKeys]
  return [
    ...refuseMove(context.facts, placed),
    ...(place.kind === 'distributed' ? refuseKey(table, place.key) : refuseSize(placed)),
    ...refuseKind(table, place),
    ...(place.kind === 'distributed' ? table.uniques.flatMap((unique) => refuseUnique(table, unique, place.key)) : []),
    ...ofKeys,
    ...refuseStrangers(context, table),
    ...table.policies.flatMap((policy) => refusePolicy(table, policy)),
    ...table.triggers.map((name) => refuseTrigger(table, name)),
  ]
}

/** It could be kept: Citus then puts another table in its place, and what depends on the type of its rows breaks. */
const takesOver = 'leads to a table on every server, which a table of the coordinator alone cannot point at'

/** What is spread already does not move by itself. */
function refuseMove({ placed = [] }: ShardFacts, { table, place }: PlacedTable): Obstacle[] {
  const now = placed.find((one) => isSame(one, table))
  if (now === undefined || now.place === 'managed') return []
  if (now.place === place.kind && (place.kind !== 'distributed' || now.key === place.key)) return []
  const is = now.place === 'reference' ? 'a reference table' : `distributed by ${now.key}`
  return [
    {
      why: `it is ${is} already`,
      remedy: `To bring all its rows back first: select undistribute_table('${quotedName(table)}');`,
    },
  ]
}

function refuseKey(table: TableFact, key: string): Obstacle[] {
  const column = table.columns.find(({ name }) => name === key)
  if (column === undefined) return [{ why: `it has no column ${key}`, remedy: 'Correct shard.keys.' }]
  const obstacles: Obstacle[] = []
  if (!column.isNotNull) {
    const text = `alter table ${quotedName(table)} alter column "${key}" set not null;`
    obstacles.push({ why: `its key ${key} may be null, and such a row belongs nowhere`, remedy: text })
  }
  if (column.isGenerated) {
    obstacles.push({ why: `its key ${key} is generated`, remedy: 'Store the key in a column of its own.' })
  }
  if (!column.isHashable) {
    const remedy = 'Take a key of another type: uuid, a number or text.'
    obstacles.push({ why: `its key ${key} is of type ${column.type}, which has no hash`, remedy })
  }
  return obstacles
}

function refuseSize({ table, why }: PlacedTable): Obstacle[] {
  if (table.bytes <= referenceBytesMax || why === 'declared in shard.reference') return []
  const size = `${Math.round(table.bytes / 1_000_000)} MB`
  return [
    {
      why: `it has no key and would be copied to every server (${why}), with its ${size}`,
      remedy: `Give it the key, or declare it in shard.reference if it stays like that.`,
    },
  ]
}

function refuseKind(table: TableFact, place: Place): Obstacle[] {
  const obstacles: Obstacle[] = []
  if (table.isPartitioned && place.kind === 'reference') {
    const remedy = 'Give it the key, or declare it in shard.local and drop the foreign keys to it.'
    obstacles.push({ why: 'it is partitioned, and only tables with a key can be', remedy })
  }
  if (table.hasNestedPartitions) {
    obstacles.push({
      why: 'its partitions are partitioned again',
      remedy: 'Partition it once, or declare it in shard.local.',
    })
  }
  if (table.persistence === 'temporary')
    obstacles.push({ why: 'it is temporary', remedy: 'Declare it in shard.local.' })
  if (table.inherits) {
    const remedy = 'Partition it instead (partition by), or declare it and its relatives in shard.local.'
    obstacles.push({ why: 'it is part of an inheritance', remedy })
  }
  return obstacles
}

/** Each server could see to it only among its own rows. */
function refuseUnique(table: TableFact, { name, kind, columns, definition }: UniqueFact, key: string): Obstacle[] {
  if (columns.includes(key)) return []
  const isConstraint = kind === 'primary key' || kind === 'unique constraint'
  const wider = `${kind === 'primary key' ? 'primary key' : 'unique'} (${[key, ...columns].join(', ')})`
  const remedy = isConstraint
    ? `alter table ${quotedName(table)} drop constraint "${name}", add ${wider}; (foreign keys to it need the key too)`
    : `Make it anew with ${key} in it, with equality: ${definition}`
  return [{ why: `its ${kind} ${name} does not include ${key}`, remedy }]
}

function refuseForeignKey(context: PlanContext, { table, place }: PlacedTable, foreignKey: ForeignKeyFact): Obstacle[] {
  const { name, to, columns, onDelete, onUpdate } = foreignKey
  const target = context.places.get(nameKey(to))
  const kind = target?.kind ?? 'local'
  const drop = `alter table ${quotedName(table)} drop constraint "${name}";`
  const refuse = (why: string, remedy: string): Obstacle[] => [
    { why: `its foreign key ${name} to ${shownName(to)} ${why}`, remedy },
  ]
  if (place.kind === 'local') {
    if (kind === 'local') return []
    const remedy =
      kind === 'distributed' ? `Give ${shownName(table)} the key` : `Declare ${shownName(table)} in shard.reference`
    const why = kind === 'distributed' ? 'leads to rows on other servers' : takesOver
    return refuse(why, `${remedy}, or drop it: ${drop}`)
  }
  if (kind === 'local') {
    const elsewhere = target === undefined ? '' : `declare ${shownName(to)} in shard.reference, or `
    return refuse('leads to a table that only the coordinator has', `${capital(`${elsewhere}drop it: ${drop}`)}`)
  }
  if (context.circular.has(foreignKey)) {
    return refuse('is part of a circle, of which no table can be the first', `Drop it, and add it afterwards: ${drop}`)
  }
  if (kind === 'reference') return []
  if (place.kind === 'reference') {
    return refuse('leads from a table on every server to rows on one', `Give ${shownName(table)} the key, or: ${drop}`)
  }
  const targetKey = target?.kind === 'distributed' ? target.key : ''
  if (!columns.some(([from, at]) => from === place.key && at === targetKey)) {
    const wider = `foreign key (${[place.key, ...columns.map(([from]) => from)].join(', ')}) references ${quotedName(to)} (${[targetKey, ...columns.map(([, at]) => at)].join(', ')})`
    return refuse(`does not include the key, so it could lead to another server`, `${drop.slice(0, -1)}, add ${wider};`)
  }
  const ownTable = { table, place }
  const other = context.tables.find((one) => isSame(one.table, to))
  if (other !== undefined && keyType(ownTable) !== keyType(other)) {
    return refuse(
      `compares keys of different types, ${keyType(ownTable)} and ${keyType(other)}`,
      'Give both columns the same type.',
    )
  }
  const changesKey = onDelete.startsWith('set') || onUpdate === 'cascade' || onUpdate.startsWith('set')
  if (!changesKey) return []
  return refuse('would change the key (on delete set …, on update …)', `Make it anew without that: ${drop}`)
}

/** Tables of other schemas stay where they are; they must not point at what moves. */
function refuseStrangers({ facts, places }: PlanContext, table: TableFact): Obstacle[] {
  const strangers = facts.foreignKeys.filter(({ from, to }) => isSame(to, table) && !places.has(nameKey(from)))
  return strangers.map(({ name, from }) => ({
    why: `${shownName(from)}, which only the coordinator has, points at it with the foreign key ${name}`,
    remedy: `Drop it: alter table ${quotedName(from)} drop constraint "${name}";`,
  }))
}

function refusePolicy(table: TableFact, policy: PolicyFact): Obstacle[] {
  if (!policy.hasSubselect) return []
  return [{ why: `its policy "${policy.name}" has a sub-select`, remedy: suggestPolicy(table, policy) }]
}

function refuseTrigger(table: TableFact, name: string): Obstacle {
  return {
    why: `it has a trigger, ${name}`,
    remedy: `Do its work elsewhere and drop it: drop trigger "${name}" on ${quotedName(table)}; or declare the table in shard.local.`,
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
