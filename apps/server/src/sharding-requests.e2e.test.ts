import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { represent } from './testing/cargo.ts'
import { isOnCitus } from './testing/spread-tables.ts'
import { type Api, startApi } from './testing/start-api.ts'

const noord = '11111111-1111-4111-8111-111111111111'
const sql = `${readFileSync(new URL('testing/marina.sql', import.meta.url), 'utf8')}
  create table public.berths (
    marina_id uuid not null default public.marina(), id int, metres int, debts int, primary key (marina_id, id)
  );
  revoke select on public.berths from authenticated;
  grant select (marina_id, id, metres) on public.berths to authenticated;
  create table public.logs (
    marina_id uuid not null default public.marina(), day date, text text, primary key (marina_id, day)
  ) partition by range (day);
  create table public.logs_2026 partition of public.logs for values from ('2026-01-01') to ('2027-01-01');
  create view public.named_boats as select marina_id, id, name from public.boats;
  create function public.label(public.boats) returns text language sql stable as $$ select $1.name || '!' $$;
  create function public.boats_from(seats_min int) returns setof public.boats language plpgsql stable as $$
    begin return query select * from public.boats b where b.marina_id = public.marina() and b.seats >= seats_min; end $$;`

/** As `sharding.e2e.test.ts`: on a stub of Citus, or on a real one. What Citus refuses is asked of that alone. */
let api: Api
let ofNoord: Record<string, string>
let ofServer: Record<string, string>
beforeAll(async () => {
  api = await startApi({
    sql,
    shards: { key: 'marina_id', keys: new Map([['marinas', 'id']]), reference: [], local: [] },
    environment: { PANDO_REST_SHARD_CLAIM: 'app_metadata.marina_id', PANDO_REST_PLAN_ENABLED: 'true' },
  })
  ofNoord = { Authorization: `Bearer ${await api.sign({ app_metadata: { marina_id: noord } })}` }
  ofServer = { Authorization: `Bearer ${api.keys.serviceRoleKey}` }
})
afterAll(() => api?.stop())

const merge = { Prefer: 'resolution=merge-duplicates' }
const send = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
  api.ask(path, { method, body, headers: { ...ofNoord, ...headers } })

describe('what was there already', () => {
  const boat = (id: number, name: string) => ({ marina_id: noord, id, name })

  test('an upsert is 201 while a row is new, and then 200', async () => {
    const rows = [boat(3, 'N3'), boat(20, 'New')]
    expect((await send('POST', '/boats', rows, merge)).status).toBe(201)
    expect((await send('POST', '/boats', rows, merge)).status).toBe(200)
    const shown = await send('POST', '/boats?select=name,trips(note)', boat(20, 'Old'), {
      Prefer: `${merge.Prefer},return=representation`,
    })
    expect([shown.status, shown.body]).toEqual([200, [{ name: 'Old', trips: [] }]])
  })

  test('PUT is 201 for a new row, and then 200', async () => {
    const put = async (name: string) => {
      const path = `/boats?marina_id=eq.${noord}&id=eq.21`
      const { status, body } = await send('PUT', path, { ...boat(21, name), seats: 1 }, represent)
      return [status, body]
    }
    expect(await put('A')).toEqual([201, [{ ...boat(21, 'A'), seats: 1 }]])
    expect(await put('B')).toEqual([200, [{ ...boat(21, 'B'), seats: 1 }]])
  })

  test('is not told to who may read single columns only, nor of partitioned tables', async () => {
    const berth = { marina_id: noord, id: 1, metres: 9 }
    for (const path of ['/berths', '/berths', '/berths?select=id']) {
      const { status } = await send('POST', path, berth, merge)
      expect(status).toBe(201)
    }
    const log = { marina_id: noord, day: '2026-05-01', text: 'calm' }
    for (let count = 0; count < 2; count += 1) expect((await send('POST', '/logs', log, merge)).status).toBe(201)
  })
})

test.each([
  ['count=planned', /^0-0\/[1-9]\d*$/],
  ['count=estimated', /^0-0\/2$/],
  ['count=exact', /^0-0\/2$/],
])('%s counts what shards have', async (prefer, range) => {
  for (const caller of [ofNoord, ofServer]) {
    const { headers } = await api.ask(`/trips?boat_id=eq.1&marina_id=eq.${noord}&limit=1`, {
      headers: { ...caller, Prefer: prefer },
    })
    expect(headers.get('content-range')).toMatch(range)
  }
  const { status } = await api.ask('/trips?limit=1', { headers: { ...ofServer, Prefer: prefer } })
  expect(status).toBe(206)
})

test('what a function answers has rows of spread tables embedded', async () => {
  const path = '/rpc/boats_from?seats_min=3&select=name,trips(note),marinas(name)&name=like.N_&order=id&trips.order=id'
  expect((await api.ask(path, { headers: ofNoord })).body).toEqual([
    { name: 'N2', trips: [{ note: 'N21' }, { note: 'N22' }], marinas: { name: 'Noord' } },
    { name: 'N3', trips: [{ note: 'N31' }, { note: 'N32' }], marinas: { name: 'Noord' } },
  ])
})

test('errors name tables and constraints, and not their shards', async () => {
  const twice = await send('POST', '/boats', { marina_id: noord, id: 1, name: 'N1' })
  expect(twice.body).toMatchObject({
    code: '23505',
    message: 'duplicate key value violates unique constraint "boats_pkey"',
  })
  const boatless = await send('POST', '/trips', { marina_id: noord, boat_id: 99, day: '2026-05-01' })
  expect(boatless.body).toMatchObject({
    message: 'insert or update on table "trips" violates foreign key constraint "trips_marina_id_boat_id_fkey"',
    details: 'Key is not present in table "boats".',
  })
})

test('an update may repeat the key, and not change it', async () => {
  const [row] = (await api.ask('/boats?id=eq.2', { headers: ofNoord })).body as Record<string, unknown>[]
  const changed = await send('PATCH', '/boats?id=eq.2', { ...row, seats: 7 }, represent)
  expect([changed.status, changed.body]).toEqual([200, [{ ...row, seats: 7 }]])
  const key = await send('PATCH', '/boats?id=eq.2&select=seats', { marina_id: noord }, represent)
  expect([key.status, key.body]).toEqual([200, [{ seats: 7 }]])
  const moved = await send('PATCH', '/boats?id=eq.2', { ...row, marina_id: '22222222-2222-4222-8222-222222222222' })
  expect([moved.status, moved.body]).toMatchObject([400, { code: 'PGRST127' }])
})

describe.skipIf(!isOnCitus)('what Citus refuses has a hint', () => {
  const ask = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    api.ask(path, { method, body, headers: { ...ofServer, ...represent, ...headers } })
  const plan = { Accept: 'application/vnd.pgrst.plan+json; for="application/json"; options=analyze' }

  test.each([
    ['the key of rows of any key', 'PATCH', '/boats?id=eq.1', { marina_id: noord }, {}],
    ['a view of spread tables that is written to', 'PATCH', '/named_boats?id=eq.1', { name: 'x' }, {}],
    ['changed rows of any key with embeds', 'PATCH', '/boats?id=eq.1&select=trips(note)', { seats: 2 }, {}],
    ['computed columns of changed rows', 'PATCH', '/boats?id=eq.1&select=label', { seats: 2 }, {}],
    ['an insert that is analysed', 'POST', '/boats', { marina_id: noord, id: 30, name: 'x' }, plan],
  ])('%s', async (_case, method, path, body, headers) => {
    const answer = await ask(method, path, body, headers)
    expect([answer.status, answer.body]).toMatchObject([400, { code: '0A000', hint: expect.any(String) }])
  })

  test('which within one key is not refused', async () => {
    const path = `/boats?id=eq.1&marina_id=eq.${noord}&select=name,trips(note)&trips.order=id&trips.limit=1`
    const { status, body } = await ask('PATCH', path, { seats: 2 })
    expect([status, body]).toEqual([200, [{ name: 'N1', trips: [{ note: 'N11' }] }]])
  })
})
