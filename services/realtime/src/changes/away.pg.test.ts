import { rm } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { createTestReader } from '@pando/changes/testing/test-reader'
import type { Caller } from '@pando/core/caller'
import { systemClock } from '@pando/core/clock'
import { createDatabase, type Database } from '@pando/postgres/database'
import { startEmbeddedPostgres } from '@pando/postgres/embedded/start'
import { PostgresUnavailable } from '@pando/postgres/errors'
import { loginUrl } from '@pando/postgres/login'
import { ensureConventions, listConventionFolders } from '@pando/postgres/migrations/conventions'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { realtimeDefaults } from '../testing/realtime-defaults.ts'
import { createChangeStore } from './change-store.ts'
import type { ChangesObservation } from './deps.ts'
import { type ChangeFanOut, createChangeFanOut } from './fan-out.ts'
import { parseRequest } from './parse-request.ts'
import { prepareBindings } from './prepare-bindings.ts'
import { areSeen } from './statements.ts'
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

const createFanOut = (changesPendingMax: number): ChangeFanOut =>
  createChangeFanOut({
    port: createChangeStore({ database: api, publication: 'supabase_realtime' }),
    clock: systemClock,
    options: { ...realtimeDefaults, changesPendingMax },
    observe: (observation) => observed.push(observation),
  })

const follow = (changesPendingMax: number) => followWith(createFanOut(changesPendingMax))

async function followWith(fanOut: ChangeFanOut) {
  const told: string[] = []
  observed = []
  const prepared = await fanOut.prepare(parseRequest({ event: '*', schema: 'public' }), caller)
  const handle = fanOut.add({
    bindings: [{ id: 0, prepared }],
    caller,
    deliver: ({ dataJson }) => {
      const { table, record } = JSON.parse(dataJson) as { table: string; record: { id: number } }
      told.push(`${table} ${record.id}`)
    },
    lose: (reason) => told.push(reason),
    refuse: (message) => told.push(message),
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

test('who asks to follow is answered when Postgres is back, and nobody asks on for those who have left', async () => {
  const fanOut = createFanOut(1_000)
  const entries = [{ id: 7, event: '*', schema: 'public', table: 'open' }]
  const ask = (isOver: () => boolean) => prepareBindings(fanOut, { entries, caller, isOver })
  await postgres.stop()
  const stays = ask(() => false)
  await expect(ask(() => true)).rejects.toThrow(PostgresUnavailable)
  await start()
  expect(await stays).toMatchObject([{ id: 7 }])
})

test('what a revoke leaves is asked about when others see it, which may be later than it is in the log', async () => {
  const owner = createDatabase({ url: postgres.url, applicationName: 'test' })
  const blocked = createDatabase({ url: postgres.url, applicationName: 'test blocked', connectionsMax: 1 })
  const log = createTestReader({ url: postgres.url, publications: ['supabase_realtime'] })
  const fanOut = createFanOut(1_000)
  log.subscribe({
    onTransaction: (transaction) => {
      if (transaction.notices.includes('pando.schema')) fanOut.forget(transaction.xid)
      fanOut.onTransaction(transaction)
    },
    onReset: () => {},
  })
  await owner.query(`create table public.secrets (id int primary key);
    grant select on public.secrets to authenticated;
    alter publication supabase_realtime add table public.secrets`)
  await log.start()
  const heard = await followWith(fanOut)
  const write = async (table: string, id: number): Promise<void> => {
    await owner.query(`insert into public.${table} values (${id})`)
    await log.until(() =>
      log.changes().some(({ relation, row }) => relation.table === table && row?.[0] === String(id)),
    )
  }
  await write('secrets', 1)
  await heard.settle()
  // A commit that waits for a standby is in the log, and nobody sees it.
  await owner.query("alter system set synchronous_standby_names = 'nobody'")
  await owner.query('select pg_reload_conf()')
  const revoke = () => blocked.query('set synchronous_commit = on; revoke select on public.secrets from authenticated')
  const waiting = "select from pg_stat_activity where application_name = 'test blocked' and wait_event = 'SyncRep'"
  const isWaiting = async () => (await owner.query(waiting)).length === 1
  let revoked = revoke()
  while (!(await isWaiting())) {
    // The server has not heard of its standby yet.
    if (!(await Promise.race([revoked.then(() => true), sleep(10, false)]))) continue
    await owner.query('grant select on public.secrets to authenticated')
    revoked = revoke()
  }
  await write('secrets', 2)
  const asked = `select from pg_stat_activity where query = '${areSeen.replaceAll("'", "''")}'`
  await expect.poll(() => owner.query(asked), { timeout: 20_000 }).not.toHaveLength(0)
  await owner.query('alter system reset synchronous_standby_names')
  await owner.query('select pg_reload_conf()')
  await revoked
  await write('secrets', 3)
  await write('open', 4)
  await heard.settle()
  heard.stop()
  expect(heard.told).toEqual(['secrets 1', 'open 4'])
  await log.stop()
  await Promise.all([owner.close(), blocked.close()])
})
