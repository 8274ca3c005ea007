import type { TestDatabase } from '@pando/postgres/testing/database'
import { createTestDatabase } from '@pando/postgres/testing/database'
import { type Api, startApi } from '@pando/server/testing/start-api'
import {
  createClient,
  type RealtimeChannel,
  type RealtimePostgresChangesFilter,
  type SupabaseClient,
} from '@supabase/supabase-js'
import { type FaultProxy, startFaultProxy } from '@pando/tools/fault-proxy'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createLive, type Live } from './create-live.ts'

const sql = `
  create table public.steps (id bigint primary key, kind text);
  grant all on public.steps to anon;
  alter publication supabase_realtime add table public.steps;
`

let database: TestDatabase
let api: Api
let tunnel: FaultProxy
type AppLive = Live<SupabaseClient>
const lives: AppLive[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  await database.run(sql)
  // The least that is kept for who is away, so that a test can write more.
  api = await startApi({
    beside: { database },
    environment: { PANDO_CHANGES_WINDOW_BYTES: '1mb', PANDO_GATEWAY_METRICS_PUBLIC: 'true' },
  })
  tunnel = await startFaultProxy(api.url)
})

afterEach(async () => {
  tunnel.set({})
  for (const live of lives.splice(0)) {
    live.stop()
    await live.client.removeAllChannels()
  }
  await database.query('truncate public.steps')
})

afterAll(async () => {
  await tunnel.stop()
  await api.stop()
  await database.close()
})

function newLive(realtime: object = {}): AppLive {
  const live = createLive((options) =>
    createClient(tunnel.url, api.keys.anonKey, {
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { ...options, ...realtime },
    }),
  )
  lives.push(live)
  return live
}

type Step = { readonly id: number }
const rows: RealtimePostgresChangesFilter<'*'> = { event: '*', schema: 'public', table: 'steps' }

/** Joins, and waits until rows are followed. */
const join = (channel: RealtimeChannel): Promise<void> =>
  new Promise((resolve) => {
    channel
      .on('system', {}, ({ extension, status }) => {
        if (extension === 'postgres_changes' && status === 'ok') resolve()
      })
      .subscribe()
  })

/** Until the server has it all. */
async function writeMoreThanIsKept(ids: readonly number[]): Promise<void> {
  const heard: number[] = []
  const client = createClient(api.url, api.keys.anonKey)
  const follow = { ...rows, select: ['id'] }
  await join(client.channel(newName()).on('postgres_changes', follow, ({ new: row }) => heard.push((row as Step).id)))
  for (const id of ids) await insert(id, 'x'.repeat(400_000))
  await expect.poll(() => heard, { timeout: 20_000 }).toEqual(ids)
  await client.removeAllChannels()
}

/** Until the server has answered. */
function heartbeat({ client: { realtime } }: AppLive): Promise<void> {
  const answered = new Promise<void>((resolve) => realtime.onHeartbeat((status) => status === 'ok' && resolve()))
  void realtime.sendHeartbeat()
  return answered
}

let names = 0
const newName = (): string => `channel ${++names}`
const numbers = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

const insert = (id: number, kind = 'step'): Promise<unknown> =>
  database.query('insert into public.steps values ($1, $2)', [id, kind])

/** How often the log was asked for what somebody missed. */
async function countReplays(outcome: 'found' | 'too_old'): Promise<number> {
  const page = await (await fetch(`${api.url}/metrics`)).text()
  const line = page.split('\n').find((each) => each.startsWith(`realtime_replays_total{outcome="${outcome}"}`))
  return Number(line?.split(' ').at(-1) ?? 0)
}

describe.each(['1.0.0', '2.0.0'])('with version %s of the wire', (vsn) => {
  test('rows and messages arrive once and in order over a slow line that breaks again and again', async () => {
    tunnel.set({ latencyMs: 20, jitterMs: 20, sliceBytes: 100, sliceGapMs: 1 })
    const live = newLive({ vsn })
    const name = newName()
    const [all, ids, messages, fetched] = [[], [], [], []] as [number[], number[], number[], string[]]
    const channel = live.client
      .channel(name)
      .on('postgres_changes', rows, ({ new: row }) => all.push((row as Step).id))
      // Another choice of columns: the same change comes twice, with one cursor.
      .on('postgres_changes', { ...rows, select: ['id'] }, ({ new: row }) => ids.push((row as Step).id))
      .on('broadcast', { event: 'step' }, ({ payload }) => messages.push(payload.id))
    live.onResync(channel, (reason) => fetched.push(reason))
    await join(channel)
    for (const id of numbers(1, 120)) {
      await insert(id)
      await database.query(`select realtime.send(jsonb_build_object('id', $1::int), 'step', $2, false)`, [id, name])
      if (id % 30 === 10) tunnel.cut()
      // Now and then it is back before the next, and now and then it is not.
      if (id % 30 === 20) await vi.waitUntil(() => all.length === id, { timeout: 20_000 })
    }
    for (const heard of [all, ids, messages])
      await expect.poll(() => heard, { timeout: 20_000 }).toEqual(numbers(1, 120))
    expect(fetched).toEqual(['joined'])
    expect(await countReplays('found')).toBeGreaterThan(0)
  })
})

test('who was away for too long is told to fetch, and goes on from there', async () => {
  const live = newLive()
  const heard: number[] = []
  const fetched: string[] = []
  const channel = live.client
    .channel(newName())
    .on('postgres_changes', rows, ({ new: row }) => heard.push((row as Step).id))
  live.onResync(channel, (reason) => fetched.push(reason))
  await join(channel)
  await insert(1)
  await expect.poll(() => heard).toEqual([1])
  live.sleep()
  tunnel.cut()
  await writeMoreThanIsKept(numbers(2, 9))
  live.wake()
  await expect.poll(() => fetched, { timeout: 20_000 }).toEqual(['joined', 'too_old'])
  await insert(10)
  await expect.poll(() => heard).toEqual([1, 10])
  expect(await countReplays('too_old')).toBeGreaterThan(0)
})

test('a channel where nothing happens moves on with each heartbeat', async () => {
  const live = newLive()
  const heard: number[] = []
  const fetched: string[] = []
  const channel = live.client
    .channel(newName())
    .on('postgres_changes', { ...rows, filter: 'id=gt.100' }, ({ new: row }) => heard.push((row as Step).id))
  live.onResync(channel, (reason) => fetched.push(reason))
  await join(channel)
  await writeMoreThanIsKept(numbers(1, 8))
  await heartbeat(live)
  tunnel.cut()
  await insert(101)
  await expect.poll(() => heard, { timeout: 20_000 }).toEqual([101])
  expect(fetched).toEqual(['joined'])
})

test('rows that change during a fetch are told after it, also when the connection breaks meanwhile', async () => {
  const live = newLive()
  const told: string[] = []
  const fetch = Promise.withResolvers<void>()
  const channel = live.client
    .channel(newName())
    .on('postgres_changes', rows, ({ new: row }) => told.push(`row ${(row as Step).id}`))
  await join(channel)
  live.onResync(channel, async () => {
    await fetch.promise
    told.push('fetched')
  })
  await insert(1)
  await insert(2)
  const rejoined = new Promise((resolve) => channel.on('system', {}, resolve))
  tunnel.cut()
  await rejoined
  await insert(3)
  fetch.resolve()
  await expect.poll(() => told, { timeout: 20_000 }).toEqual(['fetched', 'row 1', 'row 2', 'row 3'])
})

test('a fetch that failed is made again after the next join', async () => {
  const live = newLive()
  const channel = live.client.channel(newName()).on('postgres_changes', rows, () => {})
  const fetched: string[] = []
  let isOffline = true
  live.onResync(channel, (reason) => {
    fetched.push(reason)
    if (isOffline) throw new Error('offline')
  })
  await join(channel)
  isOffline = false
  const before = fetched.length
  tunnel.cut()
  await expect.poll(() => fetched.length, { timeout: 20_000 }).toBeGreaterThan(before)
  expect(new Set(fetched)).toEqual(new Set(['joined']))
})

test('a network that has gone dead is noticed when the app wakes up', async () => {
  const live = newLive()
  const heard: number[] = []
  const channel = live.client
    .channel(newName())
    .on('postgres_changes', rows, ({ new: row }) => heard.push((row as Step).id))
  await join(channel)
  live.sleep()
  tunnel.freeze()
  await insert(1)
  live.wake()
  await expect.poll(() => heard, { timeout: 20_000 }).toEqual([1])
})

test('a network that works is left alone when the app wakes up', async () => {
  const live = newLive()
  const channel = live.client.channel(newName()).on('postgres_changes', rows, () => {})
  const failures: string[] = []
  channel.subscribe((status) => failures.push(status))
  await expect.poll(() => failures).toEqual(['SUBSCRIBED'])
  live.sleep()
  live.wake()
  live.wake()
  await new Promise((resolve) =>
    live.client.realtime.stateChangeCallbacks.message.push(['test', resolve as () => void]),
  )
  expect(failures).toEqual(['SUBSCRIBED'])
})

test('a channel whose token was over goes on with the next token', async () => {
  const live = newLive()
  const seconds = Math.floor(Date.now() / 1000)
  await live.client.realtime.setAuth(await api.sign({ role: 'anon', exp: seconds + 2 }))
  const heard: number[] = []
  const states: string[] = []
  const channel = live.client
    .channel(newName())
    .on('postgres_changes', rows, ({ new: row }) => heard.push((row as Step).id))
  channel.subscribe((state) => states.push(state))
  await expect.poll(() => states).toEqual(['SUBSCRIBED'])
  await expect.poll(() => states, { timeout: 20_000 }).toContain('CHANNEL_ERROR')
  await insert(1)
  await live.client.realtime.setAuth(await api.sign({ role: 'anon' }))
  await expect.poll(() => heard, { timeout: 20_000 }).toEqual([1])
})

test('another node takes over where the first one stopped', async () => {
  const live = newLive()
  const heard: number[] = []
  const fetched: string[] = []
  const channel = live.client
    .channel(newName())
    .on('postgres_changes', rows, ({ new: row }) => heard.push((row as Step).id))
  live.onResync(channel, (reason) => fetched.push(reason))
  await join(channel)
  await insert(1)
  await expect.poll(() => heard).toEqual([1])
  await api.stop()
  await insert(2)
  api = await startApi({
    beside: { database },
    environment: { PANDO_CHANGES_WINDOW_BYTES: '1mb', PANDO_GATEWAY_METRICS_PUBLIC: 'true' },
  })
  tunnel.leadTo(api.url)
  await insert(3)
  await expect.poll(() => heard, { timeout: 30_000 }).toEqual([1, 2, 3])
  expect(fetched).toEqual(['joined'])
})

test('without the helper the SDK does what it always did', async () => {
  const client = createClient(tunnel.url, api.keys.anonKey, { auth: { persistSession: false } })
  const heard: number[] = []
  const channel = client.channel(newName()).on('postgres_changes', rows, ({ new: row }) => heard.push((row as Step).id))
  await join(channel)
  await insert(1)
  await expect.poll(() => heard).toEqual([1])
  await client.removeAllChannels()
})
