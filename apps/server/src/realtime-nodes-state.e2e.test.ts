import type { RealtimeChannel } from '@supabase/supabase-js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openPhoenix, type Phoenix } from './testing/phoenix.ts'
import { join } from './testing/realtime-client.ts'
import type { Api } from './testing/start-api.ts'
import { startNode } from './testing/start-node.ts'
import { newName, nodeEnvironment, startTwoNodes, type TwoNodes } from './testing/two-nodes.ts'

const schema = `
  create table public.papers (id int primary key, owner uuid);
  alter table public.papers enable row level security;
  create policy "own" on public.papers for select to authenticated using (owner = auth.uid());
  grant select on public.papers to authenticated;
  create table public.fences (id int primary key);
  grant select on public.fences to authenticated;
  alter publication supabase_realtime add table public.papers, public.fences;
`

/** Two nodes of one deployment. */
let nodes: TwoNodes
let one: Api
let other: Api
const connect: TwoNodes['connect'] = (place, wishes) => nodes.connect(place, wishes)

beforeAll(async () => {
  nodes = await startTwoNodes(schema)
  ;({ one, other } = nodes)
})

afterEach(() => nodes.leave())

afterAll(() => nodes?.stop())

const isLong = { timeout: 10_000 }

const openPresence = (api: Api, name: string, key: string): RealtimeChannel =>
  connect(api)
    .channel(name, { config: { presence: { key } } })
    .on('presence', { event: 'sync' }, () => {})

describe('presence', () => {
  test('is the same on both nodes: whoever comes is told of all, and all of whoever comes, changes or goes', async () => {
    const name = newName()
    const ann = await join(openPresence(one, name, 'ann'))
    await ann.track({ mood: 'good' })
    const states: string[][] = []
    const ben = openPresence(other, name, 'ben')
    ben.on('presence', { event: 'sync' }, () => states.push(Object.keys(ben.presenceState())))
    await join(ben)
    await expect.poll(() => ben.presenceState(), isLong).toMatchObject({ ann: [{ mood: 'good' }] })
    // Not told little by little: the first word has it all.
    expect(states[0]).toEqual(['ann'])
    await ben.track({ mood: 'fine' })
    await ann.track({ mood: 'better' })
    const both = { ann: [{ mood: 'better' }], ben: [{ mood: 'fine' }] }
    await expect.poll(() => ben.presenceState(), isLong).toMatchObject(both)
    await expect.poll(() => ann.presenceState(), isLong).toMatchObject(both)
    await expect.poll(() => ann.presenceState()).toEqual(ben.presenceState())
    await ben.untrack()
    await expect.poll(() => Object.keys(ann.presenceState()), isLong).toEqual(['ann'])
    await ann.unsubscribe()
    await expect.poll(() => ben.presenceState(), isLong).toEqual({})
  })

  test('tells each join and leave once', async () => {
    const name = newName()
    const told: string[] = []
    const watcher = openPresence(other, name, 'watcher')
    watcher.on('presence', { event: 'join' }, ({ key }) => told.push(`${key} joins`))
    watcher.on('presence', { event: 'leave' }, ({ key }) => told.push(`${key} leaves`))
    await join(watcher)
    const people = await Promise.all(['a', 'b', 'c'].map((key) => join(openPresence(one, name, key))))
    for (const person of people) await person.track({})
    await expect.poll(() => told, isLong).toHaveLength(3)
    for (const person of people) await person.unsubscribe()
    await expect
      .poll(() => told.toSorted(), isLong)
      .toEqual(['a', 'b', 'c'].flatMap((key) => [`${key} joins`, `${key} leaves`]))
  })
})

test('a node that is killed takes its people with it, and nobody else', { timeout: 60_000 }, async () => {
  const node = await startNode({
    DATABASE_URL: one.database.urlAs('postgres'),
    PANDO_JWT_SECRET: one.keys.jwtSecret,
    PANDO_SERVER_SERVICES: 'realtime',
    ...nodeEnvironment,
  })
  try {
    const name = newName()
    const told: string[] = []
    const ann = await join(openPresence(one, name, 'ann'))
    await ann.track({})
    const watcher = openPresence(other, name, 'watcher')
    watcher.on('presence', { event: 'join' }, ({ key }) => told.push(`${key} joins`))
    watcher.on('presence', { event: 'leave' }, ({ key }) => told.push(`${key} leaves`))
    await join(watcher)
    const lost = await openPhoenix(node.url, { apikey: one.keys.anonKey })
    await lost.join(name, { presence: { key: 'lost', enabled: true } })
    await lost.ask(`realtime:${name}`, 'presence', { event: 'track', payload: {} })
    await expect.poll(() => told, isLong).toContain('lost joins')
    await node.kill()
    await expect.poll(() => told, { timeout: 30_000 }).toContain('lost leaves')
    expect(told).toEqual(['ann joins', 'lost joins', 'lost leaves'])
    expect(Object.keys(watcher.presenceState())).toEqual(['ann'])
  } finally {
    await node.kill()
  }
})

describe('changes of rows', () => {
  const rows = {
    postgres_changes: ['papers', 'fences'].map((table) => ({ event: 'INSERT', schema: 'public', table })),
  }
  type Row = { readonly id: number; readonly cursor: string }

  const rowsOf = ({ heard }: Phoenix): Row[] =>
    heard
      .filter(({ event }) => event === 'postgres_changes')
      .map(({ payload }) => ({
        id: (payload['data'] as { record: { id: number } }).record.id,
        cursor: payload['cursor'] as string,
      }))
  const idsOf = (phone: Phoenix): number[] => rowsOf(phone).map(({ id }) => id)

  const follow = async (api: Api, config: object, token: string): Promise<Phoenix> => {
    const phone = await openPhoenix(api.url, { apikey: api.keys.anonKey })
    await phone.join(newName(), { ...rows, ...config }, token)
    await phone.until(({ event, payload }) => event === 'system' && payload['extension'] === 'postgres_changes')
    return phone
  }
  const write = (ids: readonly number[], owner: string) =>
    one.database.query('insert into public.papers select id, $2 from unnest($1::int[]) as id', [ids, owner])

  test('reach who may see them on both nodes, and whoever goes over to the other node goes on where they were', async () => {
    const owner = crypto.randomUUID()
    const token = await one.sign({ sub: owner })
    const phones = [await follow(one, {}, token), await follow(other, {}, token)]
    const stranger = await follow(other, {}, await one.sign({ sub: crypto.randomUUID() }))
    await write([1, 2, 3], owner)
    for (const phone of phones) await expect.poll(() => idsOf(phone), isLong).toEqual([1, 2, 3])
    const places = phones.map((phone) => rowsOf(phone)[1]!.cursor)
    expect(places[0]).toBe(places[1])
    for (const phone of phones) phone.close()
    await write([4], owner)
    const movers = [await follow(other, { cursor: places[0] }, token), await follow(one, { cursor: places[1] }, token)]
    await write([5], owner)
    for (const phone of movers) await expect.poll(() => idsOf(phone), isLong).toEqual([3, 4, 5])
    expect(idsOf(stranger)).toEqual([])
    for (const phone of [...movers, stranger]) phone.close()
  })

  test('end on both nodes when the right to read ends', async () => {
    const owner = crypto.randomUUID()
    const token = await one.sign({ sub: owner })
    const phones = [await follow(one, {}, token), await follow(other, {}, token)]
    await write([11], owner)
    for (const phone of phones) await expect.poll(() => idsOf(phone), isLong).toEqual([11])
    await one.database.run('drop policy "own" on public.papers')
    await write([12, 13], owner)
    // Told to everybody, after what came before it.
    await one.database.query('insert into public.fences values (14)')
    for (const phone of phones) await expect.poll(() => idsOf(phone), isLong).toContain(14)
    for (const phone of phones) expect(idsOf(phone)).toEqual([11, 14])
    for (const phone of phones) phone.close()
  })
})
