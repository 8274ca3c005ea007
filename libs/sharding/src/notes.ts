import { quotedName } from './names.ts'
import type { PlacedTable } from './shard-plan.ts'

/** What changes for one table without standing in the way. */
export function listNotes({ table, place }: PlacedTable): string[] {
  const notes: string[] = []
  if (table.isFollowed && place.kind === 'distributed') {
    const drop = `alter publication supabase_realtime drop table ${quotedName(table)};`
    notes.push(
      'realtime does not hear of its changes, which are in the logs of the other servers, and refuses whoever asks for them ' +
        `or for all tables. Before its rows are spread: ${drop}`,
    )
  }
  if (table.isFollowed && place.kind === 'reference') {
    notes.push('realtime hears of its changes only with citus.enable_change_data_capture = on, on all servers')
  }
  if (table.isCached) notes.push('answers about it are not kept on Citus, as about no table there')
  if (place.kind === 'distributed' && table.uniques.every(({ kind }) => kind !== 'primary key')) {
    notes.push('has no primary key, so Citus can move its shards only while nobody writes')
  }
  return notes
}
