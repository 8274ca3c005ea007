import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { createTestBus, type TestBus } from '@pando/bus/testing/test-bus'
import { createTestReader, type TestReader } from '@pando/changes/testing/test-reader'
import type { Caller } from '@pando/core/caller'
import { createDatabase, type Database } from '@pando/postgres/database'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { realtimeDefaults } from '../testing/realtime-defaults.ts'
import { createChangeStore } from './change-store.ts'
import { type ChangeFanOut, createChangeFanOut } from './fan-out.ts'
import { parseRequest } from './parse-request.ts'

/** Roles are shared by all databases of the run. */
const name = randomBytes(4).toString('hex')
const reader = `reader_${name}`
const group = `group_${name}`
const other = `other_${name}`

const schema = `
  create schema papers;
  create table papers.papers (id bigint primary key, open boolean default true, text text);
  create table papers.fences (id bigint primary key);
  create table papers.rooms (open boolean);
  insert into papers.rooms values (true);
  alter publication supabase_realtime add table papers.papers, papers.fences;
`

/** As in an installation without a superuser, and with whoever may read what through a group. */
const begin = `
  alter event trigger pando_schema_change disable;
  alter event trigger pando_schema_drop disable;
  create role ${group};
  create role ${reader};
  grant ${group} to ${reader};
  grant ${reader} to authenticator;
  grant usage on schema papers to ${group};
  grant select on papers.papers, papers.rooms to ${group};
  alter table papers.papers enable row level security;
  create policy "p" on papers.papers for select to ${group} using (open);
  create function papers.may_read() returns boolean language sql stable as 'select true';
`
const end = `
  drop policy if exists "p" on papers.papers;
  drop policy if exists "q" on papers.papers;
  drop function if exists papers.may_read();
  alter table papers.rooms disable row level security;
  do $$ declare found record; begin
    for found in select rolname from pg_roles where rolname in ('${reader}', '${group}', '${other}') loop
      execute format('drop owned by %1$I; drop role %1$I', found.rolname);
    end loop;
  end $$;
  truncate papers.papers;
`

type Way = readonly [revoke: string, before?: string]

/** Of the whole cluster: nothing of them is in the log. */
const ofRoles: Record<string, Way> = {
  'a role that leaves the group of a policy': [`revoke ${group} from ${reader}`],
  'a membership that gives nothing any more': [`revoke inherit option for ${group} from ${reader}`],
  'a role that has to obey policies again': [
    `alter role ${reader} nobypassrls`,
    `alter role ${reader} bypassrls; alter policy "p" on papers.papers using (false)`,
  ],
  'a role that is no superuser any more': [
    `alter role ${reader} nosuperuser`,
    `alter role ${reader} superuser; alter policy "p" on papers.papers using (false)`,
  ],
  'a role that is gone': [`drop role ${reader}`],
  'a group that is gone': [`drop owned by ${group}; drop role ${group}`],
  'a role of another name': [`alter role ${reader} rename to ${other}`],
}

/** Of the table that is followed, or of its schema: the log describes the table anew. */
const ofTables: Record<string, Way> = {
  'a policy that is dropped': ['drop policy "p" on papers.papers'],
  'a policy that says something else': ['alter policy "p" on papers.papers using (not open)'],
  'a policy that restricts as well': ['create policy "q" on papers.papers as restrictive for select using (not open)'],
  'a policy for others': [`alter policy "p" on papers.papers to authenticated`],
  'the right to select': [`revoke select on papers.papers from ${group}`],
  'the right to select a column': [
    `revoke select (id, open, text) on papers.papers from ${group}`,
    `revoke select on papers.papers from ${group}; grant select (id, open, text) on papers.papers to ${group}`,
  ],
  'the use of the schema': [`revoke usage on schema papers from ${group}`],
  'row security that is turned on': [
    'alter table papers.papers enable row level security',
    'drop policy "p" on papers.papers; alter table papers.papers disable row level security',
  ],
}

let database: TestDatabase
let api: Database
const buses: TestBus[] = []
/** The log as the process has it that reads, and as another one has it by the bus. */
let logs: Readonly<Record<'reading' | 'following', TestReader>>
let id = 0

beforeAll(async () => {
  database = await createTestDatabase()
  await database.run(schema)
  api = createDatabase({ url: database.apiUrl, applicationName: 'test' })
  logs = { reading: await startLog(), following: await startLog() }
})
afterEach(() => database.run(end))
afterAll(async () => {
  for (const log of Object.values(logs ?? {})) await log.stop()
  for (const bus of buses) await bus.stop()
  await api.close()
  await database.close()
})

async function startLog(): Promise<TestReader> {
  const bus = createTestBus({ url: database.url })
  buses.push(bus)
  await bus.start()
  const log = createTestReader({ url: database.url, publications: ['supabase_realtime'], bus })
  await log.start()
  return log
}

function toCaller(role: string): Caller {
  return { role, claims: { role }, claimsJson: JSON.stringify({ role }) }
}

type Following = { readonly told: string[]; readonly fanOut: ChangeFanOut; pass(): Promise<void>; stop(): void }

type Clock = { nowMs: number }

/** Follows as the reader. `accessInterval` and the clock say how long what was asked of Postgres holds. */
async function follow(log: TestReader, accessInterval: number, clock: Clock): Promise<Following> {
  const told: string[] = []
  const fanOut = createChangeFanOut({
    port: createChangeStore({ database: api, publication: 'supabase_realtime' }),
    clock: { monotonic: () => clock.nowMs },
    options: { ...realtimeDefaults, accessInterval },
    observe: () => undefined,
  })
  const caller = toCaller(reader)
  const prepared = await fanOut.prepare(parseRequest({ schema: 'papers', table: 'papers' }), caller)
  const handle = fanOut.add({
    bindings: [{ id: 0, prepared }],
    caller,
    deliver: ({ dataJson }) => told.push((JSON.parse(dataJson) as { record: { text: string } }).record.text),
    lose: (reason) => told.push(reason),
    refuse: (message) => told.push(message),
  })
  const unsubscribe = log.subscribe({
    onTransaction: (transaction) => fanOut.onTransaction(transaction),
    onReset: () => told.push('reset'),
  })
  return {
    told,
    fanOut,
    pass: async () => {
      const fence = String((id += 1))
      // Into the log at once, with all that was written before.
      await database.run(
        `begin; set local synchronous_commit = on; insert into papers.fences values (${fence}); commit`,
      )
      await log.until(() =>
        log.changes().some(({ relation, row }) => relation.table === 'fences' && row?.[0] === fence),
      )
      while (fanOut.counts().pending > 0) await setImmediate()
    },
    stop: () => {
      unsubscribe()
      fanOut.remove(handle)
    },
  }
}

const insert = (text: string): string => `insert into papers.papers (id, text) values (${(id += 1)}, '${text}')`

type Around = { readonly log?: TestReader; readonly interval: number; readonly waitMs: number }

/** What is told of a paper before a revoke, and of those that are written right after it. */
async function tellAround(
  [revoke, before = '']: Way,
  { log = logs.reading, interval, waitMs }: Around,
): Promise<readonly string[]> {
  await database.run(begin + before)
  const clock = { nowMs: 0 }
  const following = await follow(log, interval, clock)
  await database.run(insert('before'))
  await following.pass()
  await database.run(revoke)
  clock.nowMs += waitMs
  for (let count = 0; count < 10; count += 1) await database.run(insert('after'))
  await following.pass()
  following.stop()
  return following.told
}

const minute = 60_000

describe('without event triggers nothing that is committed later is told by', () => {
  describe.each(['reading', 'following'] as const)('the log alone, in a process that is %s it:', (state) => {
    test.each(Object.entries(ofTables))('%s', async (_name, way) => {
      expect(logs[state].state()).toBe(state)
      expect(await tellAround(way, { log: logs[state], interval: minute, waitMs: 0 })).toEqual(['before'])
    })
  })

  test.each(Object.entries(ofRoles))('%s, when each change is asked about', async (_name, way) => {
    expect(await tellAround(way, { interval: 0, waitMs: 0 })).toEqual(['before'])
  })

  test.each(Object.entries(ofRoles))('%s, two intervals later', async (_name, way) => {
    expect(await tellAround(way, { interval: minute, waitMs: 2 * minute })).toEqual(['before'])
  })
})

test('what a policy reads has row security by now: callers are told apart two intervals later', async () => {
  const policy = `create or replace function papers.may_read() returns boolean language sql stable as 'select true';
    alter policy "p" on papers.papers using (open in (select open from papers.rooms))`
  const revoke = 'alter table papers.rooms enable row level security'
  expect(await tellAround([revoke, policy], { interval: minute, waitMs: 2 * minute })).toEqual(['before'])
})

test('a planted stale answer is found', async () => {
  const way = ofRoles['a role that leaves the group of a policy']!
  expect(await tellAround(way, { interval: minute, waitMs: 0 })).toContain('after')
})

describe('what is asked about access is another text after', () => {
  const statements = [
    ...Object.entries({ ...ofTables, ...ofRoles }),
    [
      'a function of the claims',
      [`create or replace function auth.uid() returns uuid language sql stable as 'select null::uuid'`],
    ],
    ['a table that is not published any more', ['alter publication supabase_realtime drop table papers.papers']],
  ] as readonly (readonly [string, Way])[]

  test.each(statements)('%s', async (_name, [revoke, before = '']) => {
    const { readAccess } = createChangeStore({ database: api, publication: 'supabase_realtime' })
    await database.run(begin + before)
    const known = await readAccess()
    expect(await readAccess()).toBe(known)
    await database.run(revoke)
    expect(await readAccess()).not.toBe(known)
  })

  test('nothing that says nothing of access', async () => {
    const { readAccess } = createChangeStore({ database: api, publication: 'supabase_realtime' })
    const known = await readAccess()
    await database.run(
      `${insert('more')}; create temporary table scratch (id int); analyze papers.papers; truncate papers.papers`,
    )
    expect(await readAccess()).toBe(known)
  })
})

test('a change is not asked about before others can see it', async () => {
  const { checkRows } = createChangeStore({ database: api, publication: 'supabase_realtime' })
  await database.run(begin)
  const [table] = await database.query<{ oid: number }>("select 'papers.papers'::regclass::oid::int as oid")
  const ask = (xid: number) =>
    checkRows([
      { kind: 'row', table: table!.oid, key: [['id', '-1']], same: [], xid, callers: [{ role: reader, claims: '{}' }] },
    ])
  const open = createDatabase({ url: database.url, applicationName: 'test', connectionsMax: 1 })
  const xid = await open.transaction(async (transaction) => {
    await transaction.query("insert into papers.papers (id, text) values (-1, 'x')")
    const [row] = await transaction.query<{ xid: string }>('select pg_current_xact_id()::xid::text as xid')
    await expect(ask(Number(row!.xid))).rejects.toThrow('not visible yet')
    return Number(row!.xid)
  })
  await open.close()
  expect(await ask(xid)).toEqual([[true]])
  await expect(ask(xid + 1_000_000)).rejects.toThrow('not visible yet')
  expect(await ask(3)).toEqual([[true]])
})
