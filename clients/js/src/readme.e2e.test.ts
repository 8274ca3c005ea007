import { type Api, startApi } from '@pando/server/testing/start-api'
import * as supabase from '@supabase/supabase-js'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLive } from './create-live.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const snippet = readme.split('```ts\n')[1]!.split('```')[0]!

let api: Api

beforeAll(async () => {
  api = await startApi({
    sql: `
      create table public.notes (id bigint primary key, text text);
      insert into public.notes values (1, 'from before');
      alter publication supabase_realtime add table public.notes;
    `,
  })
})

afterAll(() => api?.stop())

type Shown = { readonly live: { stop(): void; client: supabase.SupabaseClient }; readonly notes: Map<number, object> }

test('the snippet of the README shows what is in the table, and what changes', async () => {
  const body = snippet.replaceAll(/^import .*$/gm, '') + '\nreturn { live, notes }'
  // oxlint-disable-next-line typescript/no-implied-eval
  const run = new Function('createClient', 'createLive', 'url', 'key', body) as (...given: unknown[]) => Shown
  const { live, notes } = run(supabase.createClient, createLive, api.url, api.keys.anonKey)
  await expect.poll(() => [...notes.values()]).toEqual([{ id: 1, text: 'from before' }])
  await api.database.query(`insert into public.notes values (2, 'new')`)
  await api.database.query(`update public.notes set text = 'changed' where id = 1`)
  await api.database.query('delete from public.notes where id = 2')
  await expect.poll(() => [...notes.values()], { timeout: 20_000 }).toEqual([{ id: 1, text: 'changed' }])
  live.stop()
  await live.client.removeAllChannels()
})
