import type { SupabaseClient } from '@supabase/supabase-js'
import type { Database } from './database.types.ts'
import { readFlights, readPlaces } from './dataset.ts'
import type { Progress } from './progress.ts'
import { uploadBatches, type Upload } from './upload-batches.ts'

/**
 * Loads the airports and the flights between them through the API; the client must be allowed to write them. Rows that are
 * there already are updated (airports) or left alone (flights), so it is safe to run again.
 */
export async function loadDataset(
  client: SupabaseClient<Database>,
  begin: (name: string, total: number) => Progress,
): Promise<void> {
  const places = readPlaces()
  const codes = new Set(places.map(({ iata }) => iata))
  const flights = readFlights().filter(({ origin, destination }) => codes.has(origin) && codes.has(destination))

  // Flights refer to places, so places come first.
  await load('places', places, (rows) => client.from('places').upsert(rows))
  await load('flights', flights, (rows) =>
    client.from('flights').upsert(rows, { onConflict: 'origin,destination,departs_at', ignoreDuplicates: true }),
  )

  async function load<Row>(name: string, rows: readonly Row[], send: Upload<Row>['send']): Promise<void> {
    const progress = begin(name, rows.length)
    await uploadBatches(rows, { send, onSent: progress.add })
    progress.done()
  }
}
