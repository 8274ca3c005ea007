import type { PlacedTable } from './shard-plan.ts'

/** What changes for one table without standing in the way. */
export function listNotes({ table, place }: PlacedTable): string[] {
  if (place.kind === 'local') return []
  const notes: string[] = []
  if (table.isFollowed) notes.push('realtime will not hear of its changes: they are in the logs of the other servers')
  if (place.kind === 'distributed' && table.uniques.every(({ kind }) => kind !== 'primary key')) {
    notes.push('has no primary key, so Citus can move its shards only while nobody writes')
  }
  return notes
}
