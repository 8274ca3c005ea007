import { rm } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Caller } from '@pando/core/caller'
import { systemClock } from '@pando/core/clock'
import { createDatabase, type Database } from '@pando/postgres/database'
import { startEmbeddedPostgres } from '@pando/postgres/embedded/start'
import { loginUrl } from '@pando/postgres/login'
import { ensureConventions, listConventionFolders } from '@pando/postgres/migrations/conventions'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { realtimeDefaults } from '../testing/realtime-defaults.ts'
import { createChangeStore } from './change-store.ts'
import type { ChangesObservation } from './deps.ts'
import { createChangeFanOut } from './fan-out.ts'
import { parseRequest } from './parse-request.ts'
import { openWriter, type Writer } from './testing/written-changes.ts'

const schema = `
  create table public.open (id int primary key);
  create table public.rooms (id int primary key);
  create table public.members (room int);
  insert into public.members select generate_series(1, 10, 2);
  insert into public.rooms select generate_series(1, 10);
  alter table public.rooms enable row level security;
  create policy member on public.rooms for select using (exists (select from public.members m where m.room = rooms.id));
  grant select on public.open, public.rooms, public.members to authenticated;
  alter publication supabase_realtime add table public.open, public.rooms`

let folder: string
let postgres: Awaited<ReturnType<typeof startEmbeddedPostgres>>
let api: Database
let open: Writer
let rooms: Writer
let observed: ChangesObservation[] = []

const start = async () => {
  postgres = await startEmbeddedPostgres({ dataFolder: path.join(folder, 'data'), durable: false })
}

beforeAll(async () => {
  folder = await makeTemporaryFolder('pando-away-')
  await start()
  await ensureConventions({
    url: postgres.url,
    folders: await listConventionFolders(path.join(import.meta.dirname, '../../..')),
  })
  const owner = createDatabase({ url: postgres.url, applicationName: 'test' })
  await owner.query(`alter role authenticator password 'open'; ${schema}`)
  open = await openWriter(owner, 'public.open')
  rooms = await openWriter(owner, 'public.rooms')
  await owner.close()
  api = createDatabase({
    url: loginUrl(postgres.url, { role: 'authenticator', password: 'open' }),
    applicationName: 'test',
  })
}, 60_000)
afterAll(async () => {
  await api.close()
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})

const claims = { role: 'authenticated', sub: crypto.randomUUID() }
const caller: Caller = { role: claims.role, claims, claimsJson: JSON.stringify(claims) }

async function follow(changesPendingMax: number) {
  const told: string[] = []
  observed = []
  const fanOut = createChangeFanOut({
    port: createChangeStore({ database: api, publication: 'supabase_realtime' }),
    clock: systemClock,
    options: { ...realtimeDefaults, changesPendingMax },
    observe: (observation) => observed.push(observation),
  })
  const prepared = await fanOut.prepare(parseRequest({ event: '*', schema: 'public' }), caller)
  const handle = fanOut.add({
    bindings: [{ id: 0, prepared }],
    caller,
    deliver: ({ dataJson }) => {
      const { table, record } = JSON.parse(dataJson) as { table: string; record: { id: number } }
      told.push(`${table} ${record.id}`)
    },
    lose: (reason) => told.push(reason),
  })
  const settle = async (): Promise<void> => {
    while (fanOut.counts().pending > 0) await setImmediate()
  }
  const tell = (id: number): void =>
    fanOut.onTransaction({ changes: [rooms.insert({ id: String(id) }), open.insert({ id: String(id) })] })
  return { told, tell, settle, stop: () => fanOut.remove(handle) }
}

test('over a restart of Postgres everything is told, late and in order', { timeout: 30_000 }, async () => {
  const { told, tell, settle, stop } = await follow(1_000)
  tell(1)
  await settle()
  // One question is on its way, others come up while nobody can be asked.
  tell(2)
  await postgres.stop()
  for (const id of [3, 4, 5]) tell(id)
  await expect.poll(() => observed.some(({ kind }) => kind === 'waiting')).toBe(true)
  await start()
  await settle()
  stop()
  expect(told).toEqual(['rooms 1', 'open 1', 'open 2', 'rooms 3', 'open 3', 'open 4', 'rooms 5', 'open 5'])
  expect(observed.filter(({ kind }) => kind !== 'checked' && kind !== 'waiting')).toEqual([])
})

test('with more than may wait the follower is told to fetch again', { timeout: 30_000 }, async () => {
  const { told, tell, settle, stop } = await follow(4)
  tell(1)
  await settle()
  await postgres.stop()
  for (const id of [3, 4, 5]) tell(id)
  expect(told).toEqual(['rooms 1', 'open 1', 'too-many-pending', 'open 5'])
  await start()
  await settle()
  tell(7)
  await settle()
  stop()
  expect(told.slice(-2)).toEqual(['rooms 7', 'open 7'])
})
