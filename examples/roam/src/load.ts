// Loads the real airports and flights through the API, in bulk, with the official client: `node examples/roam/src/load.ts`.
import { createClient } from '@supabase/supabase-js'
import type { Database } from './database.types.ts'
import { loadDataset } from './load-dataset.ts'
import { showProgress } from './progress.ts'

const url = process.env['API_URL'] ?? 'http://127.0.0.1:54321'
const key = process.env['SERVICE_ROLE_KEY']
if (key === undefined || key === '') {
  throw new Error('SERVICE_ROLE_KEY is not set: take it from `npx pando status --project examples/roam`.')
}
await loadDataset(createClient<Database>(url, key, { auth: { persistSession: false } }), showProgress)
