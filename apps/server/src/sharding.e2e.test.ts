import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { represent } from './testing/cargo.ts'
import { type Api, startApi } from './testing/start-api.ts'
import { isOnCitus } from './testing/spread-tables.ts'

const sql = readFileSync(new URL('testing/marina.sql', import.meta.url), 'utf8')
const shards = { key: 'marina_id', keys: new Map([['marinas', 'id']]), reference: [], local: [] }
const noord = '11111111-1111-4111-8111-111111111111'
const sued = '22222222-2222-4222-8222-222222222222'
const bob = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'

/**
 * On plain PostgreSQL a stub of Citus says what would be spread, so that requests are made as on Citus; on a real one
 * (`PANDO_TEST_CITUS_URL`) they are answered by its workers.
 */
let api: Api
let ofNoord: Record<string, string>
let ofSued: Record<string, string>
beforeAll(async () => {
  api = await startApi({
    sql,
    shards,
    environment: { PANDO_REST_SHARD_CLAIM: 'app_metadata.marina_id', PANDO_REST_PLAN_ENABLED: 'true' },
  })
  ofNoord = await headersOf({ sub: bob, app_metadata: { marina_id: noord } })
  ofSued = await headersOf({ app_metadata: { marina_id: sued } })
})
afterAll(() => api?.stop())

const headersOf = async (claims: Record<string, unknown>) => ({ Authorization: `Bearer ${await api.sign(claims)}` })

async function get(path: string, headers: Record<string, string>): Promise<unknown> {
  const { status, body } = await api.ask(path, { headers })
  expect({ status, body }).toMatchObject({ status: 200 })
  return body
}

describe('reads', () => {
  test('policies on shards see whose request it is', async () => {
    expect(await get('/boats?select=name&order=name', ofNoord)).toEqual([
      { name: 'N1' },
      { name: 'N2' },
      { name: 'N3' },
    ])
    expect(await get('/boats?select=name&order=name', ofSued)).toEqual([{ name: 'S1' }, { name: 'S2' }, { name: 'S3' }])
    expect(await get('/sailors?select=name&order=id', ofNoord)).toEqual([{ name: 'Noord Ann' }, { name: 'Bob' }])
    expect(await get('/boats', await headersOf({}))).toEqual([])
    expect(await get('/boats', {})).toEqual([])
  })

  test('many callers at once, each their own rows', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => get('/boats?select=name&id=eq.1', n % 2 === 0 ? ofNoord : ofSued)),
    )
    expect(answers).toEqual(Array.from({ length: 60 }, (_, n) => [{ name: n % 2 === 0 ? 'N1' : 'S1' }]))
  })

  test('filters, pages and counts', async () => {
    const path = '/trips?select=note&or=(note.like.*1,day.gt.2026-05-02)&order=day.desc,note&limit=2&offset=1'
    const { body, headers } = await api.ask(path, { headers: { ...ofSued, Prefer: 'count=exact' } })
    expect(body).toEqual([{ note: 'S22' }, { note: 'S32' }])
    expect(headers.get('content-range')).toBe('1-2/6')
    expect(
      await get('/trips?id=eq.11&select=note', { ...ofSued, Accept: 'application/vnd.pgrst.object+json' }),
    ).toEqual({
      note: 'S11',
    })
  })

  test('embeds: to one, to many, through a junction, of tables on every server, limited and ordered inside', async () => {
    expect(
      await get(
        '/boats?select=name,marinas(name,countries(name)),trips(note)&trips.order=day.desc&trips.limit=1&order=id&limit=1',
        ofNoord,
      ),
    ).toEqual([
      { name: 'N1', marinas: { name: 'Noord', countries: { name: 'Netherlands' } }, trips: [{ note: 'N12' }] },
    ])
    expect(await get('/sailors?select=name,trips(id)&trips.order=id&trips.limit=2&id=eq.1', ofSued)).toEqual([
      { name: 'Sued Ann', trips: [{ id: 11 }, { id: 12 }] },
    ])
    expect(await get('/trips?select=id,...boats!inner(boat:name)&boats.name=eq.S2&order=id', ofSued)).toEqual([
      { id: 21, boat: 'S2' },
      { id: 22, boat: 'S2' },
    ])
  })

  test('functions', async () => {
    expect(await get('/rpc/seats_on?day=2026-05-02', ofSued)).toBe(9)
  })
})

describe('writes', () => {
  const send = (method: string, path: string, body: unknown, headers: Record<string, string> = ofNoord) =>
    api.ask(path, { method, body, headers: { ...represent, ...headers } })

  test('rows go to the shard of their caller, and back', async () => {
    const made = await send('POST', '/boats?select=name,seats,marinas(name)', [
      { id: 7, name: 'N7' },
      { id: 8, name: 'N8' },
    ])
    expect([made.status, made.body]).toEqual([
      201,
      [
        { name: 'N7', seats: 4, marinas: { name: 'Noord' } },
        { name: 'N8', seats: 4, marinas: { name: 'Noord' } },
      ],
    ])
    const changed = await send('PATCH', '/boats?id=gte.7&select=name,seats&order=name', { seats: 9 })
    expect(changed.body).toEqual([
      { name: 'N7', seats: 9 },
      { name: 'N8', seats: 9 },
    ])
    expect((await send('DELETE', '/boats?id=gte.7&select=name&order=name', undefined)).body).toEqual([
      { name: 'N7' },
      { name: 'N8' },
    ])
    expect(await get('/boats?select=id&id=gte.7', ofNoord)).toEqual([])
  })

  test('upserts, and PUT', async () => {
    const upsert = { Prefer: 'resolution=merge-duplicates,return=representation', ...ofSued }
    const rows = [
      { marina_id: sued, id: 3, name: 'S3', seats: 40 },
      { marina_id: sued, id: 4, name: 'S4', seats: 5 },
    ]
    expect((await api.ask('/boats?select=id,seats', { method: 'POST', body: rows, headers: upsert })).body).toEqual([
      { id: 3, seats: 40 },
      { id: 4, seats: 5 },
    ])
    const put = { marina_id: sued, id: 4, name: 'S4', seats: 6 }
    expect((await send('PUT', `/boats?marina_id=eq.${sued}&id=eq.4&select=seats`, put, ofSued)).body).toEqual([
      { seats: 6 },
    ])
    await send('DELETE', '/boats?id=eq.4', undefined, ofSued)
  })

  test('nobody writes to the rows of others', async () => {
    const stolen = await send('POST', '/boats', { marina_id: sued, id: 99, name: 'mine' })
    expect([stolen.status, stolen.body]).toMatchObject([403, { code: '42501' }])
    expect((await send('PATCH', `/boats?marina_id=eq.${sued}`, { seats: 1 })).body).toEqual([])
    expect((await send('DELETE', `/boats?marina_id=eq.${sued}`, undefined)).body).toEqual([])
  })

  test('a change that is refused after it was seen is undone', async () => {
    const { status } = await api.ask('/boats', {
      method: 'PATCH',
      body: { seats: 0 },
      headers: { ...ofNoord, Prefer: 'handling=strict,max-affected=1' },
    })
    expect(status).toBe(400)
    expect(await get('/boats?seats=eq.0', ofNoord)).toEqual([])
  })
})

describe('the key', () => {
  test('of a caller who has none is not asked for: a server sees all', async () => {
    const all = { Authorization: `Bearer ${api.keys.serviceRoleKey}` }
    expect(await get('/boats?select=name,trips(note)&trips.order=id&trips.limit=1&id=eq.1&order=name', all)).toEqual([
      { name: 'N1', trips: [{ note: 'N11' }] },
      { name: 'S1', trips: [{ note: 'S11' }] },
    ])
  })

  test('that a request asks for counts for all that it embeds', async () => {
    const all = { Authorization: `Bearer ${api.keys.serviceRoleKey}` }
    const path = `/boats?select=name,trips(note,sailors(name))&id=eq.1&marina_id=eq.${sued}&trips.order=id&trips.limit=1`
    expect(await get(path, all)).toEqual([{ name: 'S1', trips: [{ note: 'S11', sailors: [{ name: 'Sued Ann' }] }] }])
    expect(await get(path, ofNoord)).toEqual([])
  })

  test
    .skipIf(!isOnCitus)
    .each([
      '/boats?select=name',
      '/boats?select=name,trips(note,sailors(name)),marinas(name)&trips.limit=1',
      '/trips?select=id,...boats!inner(boat:name)&boats.name=eq.S2',
    ])('leads %s to one shard', async (path) => {
    const { body } = await api.ask(path, { headers: { ...ofNoord, Accept: 'application/vnd.pgrst.plan+text' } })
    expect(body).toMatch(/Citus Adaptive[^]*Task Count: 1\n/)
    expect(String(body).match(/Task Count/g)).toHaveLength(1)
  })
})
