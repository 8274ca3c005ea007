import { readFileSync } from 'node:fs'
import type { RealtimeClient } from '@supabase/supabase-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectRealtime, join } from './testing/realtime-client.ts'
import { isOnCitus } from './testing/spread-tables.ts'
import { type Api, startApi } from './testing/start-api.ts'

const marina = readFileSync(new URL('testing/marina.sql', import.meta.url), 'utf8')
const noord = '11111111-1111-4111-8111-111111111111'

const sql = `${marina}
  create schema desk;
  create table desk.notes (id int primary key, text text);
  grant usage on schema desk to anon;
  grant select on desk.notes to anon;
  create function public.christen(marina_id uuid, boat_id int, name text) returns void language plpgsql as $$
    begin
      update public.boats b set name = christen.name where b.marina_id = christen.marina_id and b.id = boat_id;
      perform realtime.send(jsonb_build_object('id', boat_id, 'name', name), 'boat', 'marina:' || marina_id, false);
    end$$;
  alter publication supabase_realtime add table public.boats, public.countries, desk.notes;
  create publication pando_cache for table public.boats, desk.notes;`

/** As `sharding.e2e.test.ts`: on a stub of Citus, or on a real one. */
let api: Api
let client: RealtimeClient
beforeAll(async () => {
  api = await startApi({
    sql,
    shards: { key: 'marina_id', keys: new Map([['marinas', 'id']]), reference: ['countries'], local: ['desk.notes'] },
    environment: { PANDO_CACHE_MODE: 'tables', PANDO_REST_SCHEMAS: 'public,desk' },
  })
  client = connectRealtime(api)
})
afterAll(async () => {
  await client?.removeAllChannels()
  await api?.stop()
})

const follow = (schema: string, table: string, onChange: (change: unknown) => void = () => {}) =>
  client
    .channel(`${schema}.${table}`, { config: { postgres_changes_options: { wait: true } } })
    .on('postgres_changes', { event: '*', schema, table }, onChange)

test.each(['boats', '*'])('who wants to follow %s, whose rows are on other servers, is told why not', async (table) => {
  await expect(join(follow('public', table))).rejects.toThrow(
    'changes of public.boats are not in the log: Citus has its rows on other servers.',
  )
})

test('who does not wait for that is told by a system message', async () => {
  const channel = client
    .channel('boats')
    .on('postgres_changes', { event: '*', schema: 'public', table: 'boats' }, () => {})
  const said = new Promise((resolve) => channel.on('system', {}, resolve))
  await join(channel)
  expect(await said).toMatchObject({
    extension: 'postgres_changes',
    status: 'error',
    message: expect.stringContaining('changes of public.boats are not in the log'),
  })
})

test('tables of the coordinator are followed as before', async () => {
  const heard: unknown[] = []
  await join(follow('desk', 'notes', (change) => heard.push(change)))
  await api.database.query(`insert into desk.notes values (1, 'new')`)
  await expect.poll(() => heard, { timeout: 10_000 }).toMatchObject([{ eventType: 'INSERT', new: { id: 1 } }])
})

test('a copied table is followed where Citus translates its changes, and else not', async () => {
  const isTranslated = await translates()
  const heard: unknown[] = []
  const joined = join(follow('public', 'countries', (change) => heard.push(change)))
  const said = await joined.then(
    () => 'followed',
    (error: Error) => error.message,
  )
  expect(said).toContain(isTranslated ? 'followed' : 'On all servers set citus.enable_change_data_capture = on')
  await api.database.query(`insert into countries values ('FR', 'France')`)
  await api.database.query(`update countries set name = 'La France' where code = 'FR'`)
  await api.database.query(`delete from countries where code = 'FR'`)
  const changes = [
    { eventType: 'INSERT', new: { code: 'FR', name: 'France' } },
    { eventType: 'UPDATE', new: { code: 'FR', name: 'La France' } },
    { eventType: 'DELETE', old: { code: 'FR' } },
  ]
  await expect.poll(() => heard, { timeout: 10_000 }).toMatchObject(isTranslated ? changes : [])
})

test('who follows a table while it is spread is told that no more comes', async () => {
  await api.database.run(`
    create table desk.papers (id int primary key);
    grant select on desk.papers to anon;
    alter publication supabase_realtime add table desk.papers;`)
  const told: unknown[] = []
  const channel = follow('desk', 'papers')
  channel.on('system', {}, ({ status, message }) => told.push([status, message]))
  await join(channel)
  const followed = ['ok', 'Subscribed to PostgreSQL']
  await expect.poll(() => told, { timeout: 10_000 }).toEqual([followed])
  await api.database.query(`select create_distributed_table('desk.papers', 'id', colocate_with => 'none')`)
  await api.database.query(`notify pgrst, 'reload schema'`)
  await expect
    .poll(() => told, { timeout: 10_000 })
    .toEqual([followed, ['error', expect.stringContaining('changes of desk.papers are not in the log')]])
})

test('a function that changes a spread row sends a message with it', async () => {
  const heard: unknown[] = []
  const channel = client
    .channel(`marina:${noord}`)
    .on('broadcast', { event: 'boat' }, ({ payload }) => heard.push(payload))
  await join(channel)
  const asked = { method: 'POST', body: { marina_id: noord, boat_id: 1, name: 'Aurora' }, headers: secret() }
  expect((await api.ask('/rpc/christen', asked)).status).toBe(204)
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual([{ id: 1, name: 'Aurora' }])
  const named = await api.ask(`/boats?select=name&id=eq.1&marina_id=eq.${noord}`, { headers: secret() })
  expect(named.body).toEqual([{ name: 'Aurora' }])
})

test.each([
  ['/boats', {}],
  ['/notes', { 'accept-profile': 'desk' }],
])('no answer about %s is kept', async (path, headers) => {
  for (let round = 0; round < 3; round += 1) {
    const { headers: got } = await api.ask(path, { headers })
    expect(got.get('cache-status')).toBe('pando; fwd=bypass; detail=sharded')
  }
})

const secret = () => ({ apikey: api.keys.serviceRoleKey, Authorization: `Bearer ${api.keys.serviceRoleKey}` })

async function translates(): Promise<boolean> {
  const [row] = await api.database.query<{ on: string | null }>(
    `select current_setting('citus.enable_change_data_capture', true) as on`,
  )
  return isOnCitus && row?.on === 'on'
}
