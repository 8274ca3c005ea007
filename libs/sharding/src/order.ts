import { nameKey } from '@pando/catalogue/catalogue'
import type { ForeignKeyFact } from './facts.ts'
import type { PlacedTable, PlanContext } from './shard-plan.ts'

const ranks = { reference: 0, distributed: 1, local: 2 } as const

/** Reference tables first, then distributed ones; each after those of its kind that it points at. */
export function orderByReferences(
  placed: readonly PlacedTable[],
  foreignKeys: readonly ForeignKeyFact[],
): Pick<PlanContext, 'tables' | 'circular'> {
  const circular = new Set<ForeignKeyFact>()
  const waiting = new Map(placed.map((one) => [nameKey(one.table), one]))
  const tables: PlacedTable[] = []
  const pending = ({ table }: PlacedTable): ForeignKeyFact[] =>
    foreignKeys.filter((foreignKey) => {
      const { from, to } = foreignKey
      const target = waiting.get(nameKey(to))
      if (target === undefined || !isPlaced(target) || circular.has(foreignKey)) return false
      return nameKey(from) === nameKey(table) && nameKey(to) !== nameKey(from)
    })
  while (waiting.size > 0) {
    const next = [...waiting.values()].find((one) => pending(one).length === 0)
    if (next === undefined) circular.add(findCircle([...waiting.values()][0]!, pending, waiting))
    else {
      waiting.delete(nameKey(next.table))
      tables.push(next)
    }
  }
  return { tables: tables.toSorted((left, right) => ranks[left.place.kind] - ranks[right.place.kind]), circular }
}

/** Everything waits for something else: who follows that comes round. The foreign key that leads on from there. */
function findCircle(
  start: PlacedTable,
  pending: (one: PlacedTable) => readonly ForeignKeyFact[],
  waiting: ReadonlyMap<string, PlacedTable>,
): ForeignKeyFact {
  const seen = new Set<PlacedTable>()
  let current = start
  for (;;) {
    const foreignKey = pending(current)[0]!
    if (seen.has(current)) return foreignKey
    seen.add(current)
    current = waiting.get(nameKey(foreignKey.to))!
  }
}

const isPlaced = ({ place }: PlacedTable): boolean => place.kind !== 'local'
