import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPhoenix, type Phoenix } from './testing/phoenix.ts'
import { frameOf, openRaw, opcodes, type RawSocket } from './testing/raw-socket.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

const sql = `
  create table public.scores (id bigint primary key, score bigint, text text);
  alter publication supabase_realtime add table public.scores;
`
const config = { postgres_changes: [{ event: '*', schema: 'public', table: 'scores' }] }
const join = JSON.stringify(['1', '1', 'realtime:scores', 'phx_join', { config }])

let api: Api

beforeAll(async () => {
  api = await startApi({ sql, environment: { PANDO_GATEWAY_METRICS_PUBLIC: 'true' } })
})

afterAll(() => api?.stop())

type Change = { readonly type: string; readonly record: { readonly id: number; readonly score: number } }
type Payload = { readonly message?: string; readonly data?: Change }

const payloadsOf = (slow: RawSocket): Payload[] =>
  slow
    .frames()
    .filter(({ opcode }) => opcode === opcodes.text)
    .map(({ payload }) => (JSON.parse(payload.toString()) as Payload[])[4]!)
const wordsOf = (slow: RawSocket): string[] => payloadsOf(slow).flatMap(({ message }) => message ?? [])
/** Of all rows but the one that fills the network. */
const changesOf = (slow: RawSocket): Change[] =>
  payloadsOf(slow).flatMap(({ data }) => (data !== undefined && data.record.id !== 0 ? [data] : []))

/** A phone that follows, and then reads no more. */
async function openSlow(): Promise<RawSocket> {
  const slow = await openRaw(api.url, api.keys.anonKey)
  slow.socket.write(frameOf(opcodes.text, join))
  await expect.poll(() => wordsOf(slow), { timeout: 20_000 }).toEqual(['Subscribed to PostgreSQL'])
  slow.socket.pause()
  return slow
}

async function openFast(): Promise<Phoenix> {
  const fast = await openPhoenix(api.url, { apikey: api.keys.anonKey })
  await fast.join('scores', config)
  await fast.until(({ event, payload }) => event === 'system' && payload['status'] === 'ok')
  return fast
}

async function metric(name: string): Promise<number> {
  const { text } = await ask(`${api.url}/metrics`)
  const line = text.split('\n').find((each) => each.startsWith(name))
  return Number(line?.split(' ').at(-1))
}

const countMerged = (): Promise<number> => metric('realtime_deliveries_total{outcome="merged"}')

/** One row changes until a client is behind. */
async function fillNetwork(): Promise<void> {
  const before = await countMerged()
  await api.database.query('insert into public.scores values (0, 0, $1) on conflict do nothing', [''])
  while ((await countMerged()) === before)
    for (let count = 0; count < 20; count += 1)
      await api.database.query(`update public.scores set score = score + 1, text = repeat('x', 60000) where id = 0`)
}

const scoresHeard = (fast: Phoenix): readonly Change[] =>
  fast.heard
    .map(({ payload }) => payload['data'] as Change | undefined)
    .filter((data) => data !== undefined && data.record.id !== 0) as Change[]

test('a phone that does not read slows nobody, and gets the newest of each row when it reads again', async () => {
  const [slow, fast] = [await openSlow(), await openFast()]
  await fillNetwork()
  await api.database.query('insert into public.scores select id, 0 from generate_series(1, 20) as id')
  for (let round = 1; round <= 100; round += 1)
    await api.database.query('update public.scores set score = $1 where id between 1 and 20', [round])
  await expect.poll(() => scoresHeard(fast).length, { timeout: 20_000 }).toBe(2_020)
  expect(changesOf(slow)).toEqual([])
  slow.socket.resume()
  await expect.poll(() => changesOf(slow).length, { timeout: 20_000 }).toBe(20)
  const newest = Array.from({ length: 20 }, (_, at) => ({ type: 'INSERT', record: { id: at + 1, score: 100 } }))
  expect(changesOf(slow)).toMatchObject(newest)
  expect(wordsOf(slow)).toEqual(['Subscribed to PostgreSQL'])
  // Once each, though two follow.
  expect(await metric('realtime_delivery_lag_seconds_count')).toBeGreaterThanOrEqual(2_020)
  expect(await metric('realtime_delivery_lag_seconds_count')).toBeLessThan(4_000)
  slow.socket.destroy()
  fast.close()
})

test('a phone that does not read while too many rows change is told to fetch, and nobody else is', async () => {
  const [slow, fast] = [await openSlow(), await openFast()]
  await fillNetwork()
  for (let id = 1_000; id < 4_000; id += 1) await api.database.query('insert into public.scores values ($1, 1)', [id])
  await expect.poll(() => scoresHeard(fast).length, { timeout: 20_000 }).toBe(3_000)
  slow.socket.resume()
  await expect.poll(() => wordsOf(slow), { timeout: 20_000 }).toEqual(['Subscribed to PostgreSQL', 'resync: too_slow'])
  await api.database.query('insert into public.scores values (5000, 1)')
  await expect.poll(() => changesOf(slow).at(-1)?.record.id, { timeout: 20_000 }).toBe(5_000)
  expect(changesOf(slow)).toHaveLength(1)
  expect(fast.heard.filter(({ payload }) => String(payload['message']).startsWith('resync'))).toEqual([])
  slow.socket.destroy()
  fast.close()
})
