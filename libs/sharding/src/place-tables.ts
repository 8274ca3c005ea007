import { nameKey } from '@pando/catalogue/catalogue'
import type { ShardFacts, TableFact } from './facts.ts'
import { isSame, parseName, shownName } from './names.ts'
import type { Place, PlacedTable, ShardDeclaration } from './shard-plan.ts'

/** Finds the place of each table, in the order of the facts. Nothing is judged yet. */
export function placeTables(facts: ShardFacts, declaration: ShardDeclaration): readonly PlacedTable[] {
  const first = facts.tables.map((table) => ({ table, ...placeByDeclaration(table, declaration) }))
  const places = new Map(first.map((one) => [nameKey(one.table), one]))
  // A table that a spread or copied one points at must be found on every server too, and so on.
  for (const one of places.values()) {
    if (one.place.kind === 'local') continue
    for (const { from, to } of facts.foreignKeys) {
      const target = places.get(nameKey(to))
      if (!isSame(from, one.table) || target === undefined || target.isDeclared || target.place.kind !== 'local')
        continue
      // Put at the end of the map, so that this loop comes to it.
      places.delete(nameKey(to))
      places.set(nameKey(to), { ...target, place: { kind: 'reference' }, why: `${shownName(from)} points at it` })
    }
  }
  return facts.tables.map((table) => places.get(nameKey(table))!)
}

type Choice = { readonly place: Place; readonly why: string; readonly isDeclared: boolean }

function placeByDeclaration(table: TableFact, { key, keys, reference, local }: ShardDeclaration): Choice {
  const names = (list: Iterable<string>): string | undefined => [...list].find((name) => isSame(parseName(name), table))
  const own = names(keys.keys())
  if (own !== undefined) {
    return { place: { kind: 'distributed', key: keys.get(own)! }, why: 'declared in shard.keys', isDeclared: true }
  }
  if (names(reference) !== undefined) {
    return { place: { kind: 'reference' }, why: 'declared in shard.reference', isDeclared: true }
  }
  if (names(local) !== undefined) return { place: { kind: 'local' }, why: 'declared in shard.local', isDeclared: true }
  if (key !== null && table.columns.some(({ name }) => name === key)) {
    return { place: { kind: 'distributed', key }, why: `has ${key}`, isDeclared: false }
  }
  return { place: { kind: 'local' }, why: 'has no key, and nothing spread points at it', isDeclared: false }
}
