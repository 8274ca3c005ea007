import { nameKey, type QualifiedName } from '@pando/catalogue/catalogue'
import type { ShardFacts, TableFact } from './facts.ts'
import { isSame, parseName } from './names.ts'
import { listNotes } from './notes.ts'
import { listObstacles } from './obstacles.ts'
import { orderByReferences } from './order.ts'
import { placeTables } from './place-tables.ts'
import {
  keyType,
  type Place,
  type PlacedTable,
  type PlanContext,
  type ShardDeclaration,
  type ShardPlan,
  type TablePlan,
} from './shard-plan.ts'

/** Decides where each table goes, and what stands in the way. */
export function planShards(facts: ShardFacts, declaration: ShardDeclaration): ShardPlan {
  const placed = placeTables(facts, declaration)
  const places = new Map(placed.map((one) => [nameKey(one.table), one.place]))
  const context: PlanContext = { facts, places, ...orderByReferences(placed, facts.foreignKeys) }
  const tables = context.tables.map((one): TablePlan => {
    const { table, place, why } = one
    return {
      schema: table.schema,
      name: table.name,
      place,
      why,
      isDone: isDone(facts, table, place),
      colocateWith: colocation(context, one),
      obstacles: listObstacles(context, one),
      notes: listNotes(one),
    }
  })
  return { tables, mistakes: listMistakes(facts, declaration) }
}

function isDone({ placed = [] }: ShardFacts, table: TableFact, place: Place): boolean {
  const now = placed.find((one) => isSame(one, table))
  if (place.kind === 'local') return now === undefined || now.place === 'managed'
  return now?.place === place.kind && (place.kind === 'reference' || now.key === place.key)
}

/** Keys of one type can be together: the first table of the type leads, one that is spread already before others. */
function colocation({ facts, tables }: PlanContext, { table, place }: PlacedTable): QualifiedName | undefined {
  if (place.kind !== 'distributed') return undefined
  const type = keyType({ table, place })
  const group = tables.filter((one) => keyType(one) === type)
  const leader = group.find((one) => isDone(facts, one.table, one.place)) ?? group[0]
  if (leader === undefined || isSame(leader.table, table)) return undefined
  return { schema: leader.table.schema, name: leader.table.name }
}

function listMistakes({ tables }: ShardFacts, { keys, reference, local }: ShardDeclaration): string[] {
  const named = [
    ...[...keys.keys()].map((name) => ['shard.keys', name] as const),
    ...reference.map((name) => ['shard.reference', name] as const),
    ...local.map((name) => ['shard.local', name] as const),
  ]
  const unknown = named.filter(([, name]) => !tables.some((table) => isSame(parseName(name), table)))
  const twice = named.filter(
    ([, name], at) => named.findIndex((one) => isSame(parseName(one[1]), parseName(name))) < at,
  )
  return [
    ...unknown.map(([option, name]) => `${option} names ${name}, which is no table of the schemas that the API serves`),
    ...twice.map(([option, name]) => `${option} names ${name}, which is declared elsewhere too`),
  ]
}
