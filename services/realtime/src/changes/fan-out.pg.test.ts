import { setImmediate } from 'node:timers/promises'
import type { Change } from '@pando/changes/change'
import type { Caller } from '@pando/core/caller'
import { systemClock } from '@pando/core/clock'
import { createDatabase, type Database } from '@pando/postgres/database'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RealtimeOptions } from '../config.ts'
import { realtimeDefaults } from '../testing/realtime-defaults.ts'
import { createChangeStore } from './change-store.ts'
import type { ChangesObservation, ChangesPort } from './deps.ts'
import { type ChangeFanOut, createChangeFanOut, type Handle } from './fan-out.ts'
import { parseRequest } from './parse-request.ts'
import { openWriter, type Row } from './testing/written-changes.ts'

const ann = '00000000-0000-4000-8000-00000000000a'
const bob = '00000000-0000-4000-8000-00000000000b'

const schema = `
create table public.open (id int primary key, name text, secret text);
create table public.notes (id int primary key, owner uuid, body text);
create table public.rooms (id int primary key, body text);
create table public.members (room int, person uuid);
create table public.keyless (owner uuid, body text);
create table public.hidden (id int primary key);
create table public.listed (id int primary key, owner uuid, body text);
create table public.made (id int primary key, body text, size int generated always as (length(body)) stored);
create table public.internal (id int primary key);
create table public.lists (owner uuid, reader uuid);
create table public.broken (id int primary key, n int);
alter table public.notes enable row level security;
alter table public.rooms enable row level security;
alter table public.keyless enable row level security;
alter table public.hidden enable row level security;
alter table public.listed enable row level security;
alter table public.made enable row level security;
create policy long on public.made for select using (sqrt(size) >= 2);
alter table public.broken enable row level security;
create policy own on public.notes for select using (owner = (select auth.uid()));
create policy member on public.rooms for select
  using (exists (select from public.members m where m.room = rooms.id and m.person = auth.uid()));
create policy member on public.keyless for select using (exists (select from public.members m where m.person = owner));
create policy listed on public.listed for select
  using (exists (select from public.lists l where l.owner = listed.owner and l.reader = auth.uid()));
create policy fragile on public.broken for select using (n / (auth.jwt() ->> 'by')::int > 0);
revoke select on public.open from authenticated;
grant select (id, name) on public.open to authenticated;
alter publication supabase_realtime add table
  public.open, public.notes, public.rooms, public.keyless, public.hidden, public.broken,
  public.listed, public.made;
`

let database: TestDatabase
let api: Database
let port: ChangesPort
let asked: number
let observed: ChangesObservation[]
let fanOut: ChangeFanOut

beforeAll(async () => {
  database = await createTestDatabase({ sql: schema })
  api = createDatabase({ url: database.apiUrl, applicationName: 'test' })
  port = createChangeStore({ database: api, publication: 'supabase_realtime' })
})
afterAll(async () => {
  await api.close()
  await database.close()
})
beforeEach(() => {
  asked = 0
  observed = []
  const checkRows: ChangesPort['checkRows'] = (questions) => {
    asked += 1
    return port.checkRows(questions)
  }
  fanOut = open({ ...port, checkRows })
})

/** Deletes tell their key unless a test says otherwise. */
const open = (changesPort: ChangesPort, options: Partial<RealtimeOptions> = {}): ChangeFanOut =>
  createChangeFanOut({
    port: changesPort,
    clock: systemClock,
    options: { ...realtimeDefaults, undecidedDeletes: 'tell-key', ...options },
    observe: (observation) => observed.push(observation),
  })

function toCaller(sub: string, more: Readonly<Record<string, unknown>> = {}): Caller {
  const claims = { role: 'authenticated', sub, ...more }
  return { role: claims.role, claims, claimsJson: JSON.stringify(claims) }
}
const service: Caller = {
  role: 'service_role',
  claims: { role: 'service_role' },
  claimsJson: '{"role":"service_role"}',
}

type Heard = { readonly handle: Handle; readonly data: Record<string, unknown>[]; readonly lost: string[] }

async function follow(caller: Caller, ...asks: Record<string, unknown>[]): Promise<Heard> {
  const data: Record<string, unknown>[] = []
  const lost: string[] = []
  const prepared = await Promise.all(asks.map((each) => fanOut.prepare(parseRequest(each), caller)))
  const handle = fanOut.add({
    bindings: prepared.map((each, id) => ({ id, prepared: each })),
    caller,
    deliver: ({ ids, dataJson }) => data.push({ ids, ...JSON.parse(dataJson) }),
    lose: (reason) => lost.push(reason),
    refuse: (message) => lost.push(message),
  })
  return { handle, data, lost }
}
const tell = (...changes: Change[]): void => fanOut.onTransaction({ changes })
/** Until everything that was told is decided. */
const settle = async (): Promise<void> => {
  while (fanOut.counts().pending > 0) await setImmediate()
}
const records = ({ data }: Heard): unknown[] => data.map(({ record, old_record }) => record ?? old_record)
const write = async (table: string, row: Row): Promise<void> => {
  const columns = Object.keys(row)
  const places = columns.map((_, at) => `$${at + 1}`)
  await database.query(`insert into public.${table} (${columns}) values (${places})`, Object.values(row))
}

describe('a table without policies', () => {
  test('tells everybody the columns that the role may select, without asking Postgres', async () => {
    const person = await follow(toCaller(ann), { event: '*', schema: 'public', table: 'open' })
    const server = await follow(service, { event: '*', schema: 'public', table: 'open' })
    const { insert } = await openWriter(database, 'public.open')
    tell(insert({ id: '1', name: 'x', secret: 's' }))
    await settle()
    expect(records(person)).toEqual([{ id: 1, name: 'x' }])
    expect(records(server)).toEqual([{ id: 1, name: 'x', secret: 's' }])
    expect(person.data[0]).toMatchObject({
      ids: [0],
      schema: 'public',
      table: 'open',
      type: 'INSERT',
      commit_timestamp: '2026-11-22T13:05:12.123Z',
      columns: [
        { name: 'id', type: 'int4' },
        { name: 'name', type: 'text' },
      ],
      errors: null,
    })
    expect(asked).toBe(0)
  })

  test('one change comes once for all requests that see the same, and again for other columns', async () => {
    const everything = { event: '*', schema: 'public', table: 'open' }
    const heard = await follow(
      toCaller(ann),
      everything,
      { event: 'INSERT', table: 'open', schema: 'public' },
      { ...everything, select: ['id'] },
    )
    const { insert } = await openWriter(database, 'public.open')
    tell(insert({ id: '1', name: 'x', secret: null }))
    await settle()
    expect(heard.data.map(({ ids, record }) => ({ ids, record }))).toEqual([
      { ids: [0, 1], record: { id: 1, name: 'x' } },
      { ids: [2], record: { id: 1 } },
    ])
  })

  test('conditions choose rows, whoever decides them', async () => {
    const by = (filter: string): Promise<Heard> =>
      follow(toCaller(ann), { event: '*', schema: 'public', table: 'open', filter })
    const heard = await Promise.all(
      ['id=eq.1', 'id=in.(1,3)', 'id=gt.1', 'name=like.x%', 'name=ilike.X%', 'name=not.match.^x', 'name=lt.y'].map(by),
    )
    const { insert } = await openWriter(database, 'public.open')
    tell(
      insert({ id: '1', name: 'xy', secret: null }),
      insert({ id: '2', name: 'a', secret: null }),
      insert({ id: '3', name: null, secret: null }),
    )
    await settle()
    const ids = heard.map((each) => records(each).map((record) => (record as { id: number }).id))
    expect(ids).toEqual([[1], [1, 3], [2, 3], [1], [1], [2], [1, 2]])
  })
})

describe('a policy that compiles', () => {
  test('decides without asking Postgres, also about deletes that carry the old row', async () => {
    const [a, b] = [
      await follow(toCaller(ann), { schema: 'public', table: 'notes' }),
      await follow(toCaller(bob), { schema: 'public', table: 'notes' }),
    ]
    const { insert, remove } = await openWriter(database, 'public.notes', 'full')
    tell(insert({ id: '1', owner: ann, body: 'x' }), remove({ id: '1', owner: ann, body: 'x' }))
    await settle()
    expect(records(a)).toEqual([{ id: 1, owner: ann, body: 'x' }, { id: 1 }])
    expect(records(b)).toEqual([])
    expect(asked).toBe(0)
  })

  test('an update that hides a row is not told, one that shows it is', async () => {
    const heard = await follow(toCaller(ann), { schema: 'public', table: 'notes' })
    const { update } = await openWriter(database, 'public.notes')
    tell(update({ id: '1', owner: bob, body: 'x' }), update({ id: '1', owner: ann, body: 'y' }))
    await settle()
    expect(heard.data.map(({ record, old_record }) => ({ record, old_record }))).toEqual([
      { record: { id: 1, owner: ann, body: 'y' }, old_record: { id: 1 } },
    ])
  })

  test('the values that an update replaced are for those who could see them', async () => {
    const heard = await follow(toCaller(ann), { schema: 'public', table: 'notes' })
    const { update } = await openWriter(database, 'public.notes', 'full')
    const row = { id: '1', owner: ann, body: 'new' }
    tell(update(row, { id: '1', owner: bob, body: 'of bob' }), update(row, { id: '1', owner: ann, body: 'old' }))
    await settle()
    expect(heard.data.map(({ old_record }) => old_record)).toEqual([{ id: 1 }, { id: 1, owner: ann, body: 'old' }])
  })

  test('a claims change counts for every change after it', async () => {
    const heard = await follow(toCaller(ann), { schema: 'public', table: 'notes' })
    const { insert } = await openWriter(database, 'public.notes')
    tell(insert({ id: '1', owner: ann, body: null }))
    await settle()
    fanOut.updateClaims(heard.handle, toCaller(bob))
    tell(insert({ id: '2', owner: ann, body: null }), insert({ id: '3', owner: bob, body: null }))
    await settle()
    expect(records(heard)).toMatchObject([{ id: 1 }, { id: 3 }])
  })
})

describe('a delete of which only the key is known', () => {
  const asks = [
    { schema: 'public', table: 'notes' },
    { schema: 'public', table: 'notes', filter: 'body=eq.x' },
  ]

  test('tells the key and nothing else, or nobody, as configured', async () => {
    const { remove } = await openWriter(database, 'public.notes')
    const tells = await follow(toCaller(bob), ...asks)
    tell(remove({ id: '1', owner: ann, body: 'x' }))
    await settle()
    expect(tells.data.map(({ ids, old_record }) => ({ ids, old_record }))).toEqual([
      { ids: [0], old_record: { id: 1 } },
    ])
    fanOut = open(port, { undecidedDeletes: 'withhold' })
    const withholds = await follow(toCaller(bob), ...asks)
    tell(remove({ id: '1', owner: ann, body: 'x' }))
    await settle()
    expect(withholds.data).toEqual([])
  })
})

describe('a policy that only Postgres decides', () => {
  test('is asked once for all, and only those who see the row are told', async () => {
    const heard = await Promise.all(
      [ann, bob, ann].map((sub, at) => follow(toCaller(sub, { session: at }), { schema: 'public', table: 'rooms' })),
    )
    await write('rooms', { id: '1', body: 'x' })
    await write('members', { room: '1', person: ann })
    const { insert } = await openWriter(database, 'public.rooms')
    tell(insert({ id: '1', body: 'x' }))
    await settle()
    expect(heard.map((each) => records(each).length)).toEqual([1, 0, 1])
    expect(asked).toBe(1)
    expect(observed).toEqual([{ kind: 'checked', questions: 1, callers: 2 }])
  })

  test('a row that is gone is told to nobody', async () => {
    const heard = await follow(toCaller(ann), { schema: 'public', table: 'rooms' })
    const { insert } = await openWriter(database, 'public.rooms')
    tell(insert({ id: '99', body: 'x' }))
    await settle()
    expect(heard.data).toEqual([])
  })

  test('a row that changed since is told as it was only if policies looked at nothing that changed', async () => {
    const heard = await follow(toCaller(bob), { schema: 'public', table: 'listed' })
    await write('lists', { owner: bob, reader: bob })
    await write('listed', { id: '1', owner: bob, body: 'newest' })
    const { insert, update } = await openWriter(database, 'public.listed')
    tell(insert({ id: '1', owner: ann, body: 'of ann' }), update({ id: '1', owner: bob, body: 'newer' }))
    await settle()
    expect(records(heard)).toEqual([{ id: 1, owner: bob, body: 'newer' }])
  })

  test('policies may look at generated columns, which the log does not have', async () => {
    const heard = await follow(toCaller(bob), { schema: 'public', table: 'made' })
    await write('made', { id: '1', body: 'long enough' })
    await write('made', { id: '2', body: 'new' })
    const { relation, insert } = await openWriter(database, 'public.made')
    const logged = (change: Change): Change => ({
      ...change,
      relation: { ...relation, columns: relation.columns.slice(0, 2) },
      row: change.row?.slice(0, 2),
    })
    tell(logged(insert({ id: '1', body: 'long enough' })), logged(insert({ id: '2', body: 'longer before' })))
    await settle()
    expect(records(heard)).toEqual([{ id: 1, body: 'long enough' }])
  })

  test('one caller for whom the policy raises does not hurt others', async () => {
    const good = await follow(toCaller(ann, { by: '1' }), { schema: 'public', table: 'broken' })
    const bad = await follow(toCaller(ann, { by: '0' }), { schema: 'public', table: 'broken' })
    await write('broken', { id: '1', n: '5' })
    const { insert } = await openWriter(database, 'public.broken')
    tell(insert({ id: '1', n: '5' }))
    await settle()
    expect([records(good), records(bad)]).toEqual([[{ id: 1, n: 5 }], []])
    expect(observed).toContainEqual({ kind: 'policyFailed', table: 'public.broken', error: '22012 division by zero' })
  })

  test('without a primary key everybody is told that, and no more', async () => {
    const heard = await follow(
      toCaller(ann),
      { schema: 'public', table: 'keyless' },
      { schema: 'public', table: 'keyless', filter: 'body=eq.x' },
    )
    const { insert } = await openWriter(database, 'public.keyless')
    tell(insert({ owner: ann, body: 'x' }))
    await settle()
    expect(heard.data).toEqual([
      expect.objectContaining({ ids: [0], columns: [], errors: ['Error 400: Bad Request, no primary key'] }),
    ])
  })
})

test('a table with row security and no policies tells nobody, but those who bypass it', async () => {
  const person = await follow(toCaller(ann), { schema: 'public', table: 'hidden' })
  const server = await follow(service, { schema: 'public', table: 'hidden' })
  const { insert } = await openWriter(database, 'public.hidden')
  tell(insert({ id: '1' }))
  await settle()
  expect([records(person), records(server)]).toEqual([[], [{ id: 1 }]])
})

test('after a revoke nothing more is told', async () => {
  const heard = await follow(
    toCaller(ann),
    { schema: 'public', table: 'open' },
    { schema: 'public', table: 'open', filter: 'name=eq.x' },
  )
  const { insert } = await openWriter(database, 'public.open')
  tell(insert({ id: '1', name: 'x', secret: null }))
  await settle()
  await database.run('revoke select (name) on public.open from authenticated')
  fanOut.forget()
  tell(insert({ id: '2', name: 'x', secret: null }))
  await settle()
  await database.run('revoke select (id) on public.open from authenticated')
  fanOut.forget()
  tell(insert({ id: '3', name: 'x', secret: null }))
  await settle()
  expect(heard.data.map(({ ids, record }) => ({ ids, record }))).toEqual([
    { ids: [0, 1], record: { id: 1, name: 'x' } },
    { ids: [0], record: { id: 2 } },
  ])
})

test('a table that the log has for other reasons, without being published, is told to nobody', async () => {
  const heard = await follow(service, { schema: '*' }, { schema: 'public' })
  const [internal, open] = [await openWriter(database, 'public.internal'), await openWriter(database, 'public.open')]
  tell(internal.insert({ id: '1' }), open.insert({ id: '2', name: null, secret: null }))
  await settle()
  expect(records(heard)).toMatchObject([{ id: 2 }])
})
