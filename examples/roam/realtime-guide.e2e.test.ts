import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { createLive } from '@pando/client'
import type { Api } from '@pando/server/testing/start-api'
import { createClient, type RealtimeChannel } from '@supabase/supabase-js'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type Person, type RoamClient, signIn, soon, startRoam } from './testing/start-roam.ts'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const guide = read('../../docs/guides/realtime.md')

let api: Api
let ada: Person
let bo: Person
let cleo: Person
let trip: { id: number }
const clients: { removeAllChannels(): Promise<unknown> }[] = []

beforeAll(async () => {
  api = await startRoam()
  ;[ada, bo, cleo] = await Promise.all([signIn(api, 'ada'), signIn(api, 'bo'), signIn(api, 'cleo')])
  clients.push(ada.client, bo.client, cleo.client)
  trip = (await bo.client.from('trips').select('id').eq('title', 'Coast to coast').single().throwOnError()).data
})
afterEach(() => Promise.all(clients.map((client) => client.removeAllChannels())))
afterAll(() => api?.stop())

/** The only block of a language below a heading. */
function snippet(heading: string, language: string): string {
  const section = guide.split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!
  const blocks = section.split(`\`\`\`${language}\n`).slice(1)
  expect(blocks).toHaveLength(1)
  return blocks[0]!.split('```')[0]!
}

/** Runs a snippet as an app would, signed in; answers what it shows from then on. */
function run(heading: string, { client, ...me }: { client: RoamClient; id?: string }, given: object = {}): unknown[] {
  const shown: unknown[] = []
  const all = {
    client,
    me: { name: 'Somebody', ...me },
    trip,
    show: (what: unknown) => void shown.push(what),
    ...given,
  }
  const body = snippet(heading, 'ts').replaceAll(/^import .*$/gm, '')
  // oxlint-disable-next-line typescript/no-implied-eval
  const app = new Function(...Object.keys(all), `return (async () => {${body}})()`) as (
    ...given: unknown[]
  ) => Promise<void>
  app(...Object.values(all)).catch((error: unknown) => shown.push(error))
  return shown
}

const joined = (channel: RealtimeChannel): Promise<RealtimeChannel> =>
  new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === 'SUBSCRIBED') resolve(channel)
      if (status === 'CHANNEL_ERROR') reject(error ?? new Error(status))
    })
  })
const say = (body: string) => bo.client.from('chat_messages').insert({ trip_id: trip.id, body }).throwOnError()

it('its SQL is that of the migration', () => {
  const migration = read('pando/migrations/20260103000000_travel_together.sql')
  for (const heading of ['Private channels', 'Rows that change', 'Messages of the database'])
    expect(migration).toContain(snippet(heading, 'sql'))
})

it('Broadcast: from phone to phone, and from a server', async () => {
  const first = run('Broadcast', { client: ada.client })
  const tower = promisify(execFile)
  const env = { ...process.env, API_URL: api.url, ANON_KEY: api.keys.anonKey }
  await expect
    .poll(async () => {
      await tower('sh', ['-c', snippet('Broadcast', 'sh')], { env })
      return first
    }, soon)
    .toContain('the tower')
  run('Broadcast', { client: bo.client })
  await expect.poll(() => first, soon).toContain('Ada')
})

it('Private channels: members hear, strangers are told that they may not', async () => {
  const heard = run('Private channels', { client: ada.client })
  const refused = run('Private channels', { client: cleo.client })
  const speaker = await joined(bo.client.channel(`trip:${trip.id}`, { config: { private: true } }))
  const payload = { latitude: 40.6, longitude: -73.8 }
  await expect
    .poll(async () => {
      await speaker.send({ type: 'broadcast', event: 'location', payload })
      return heard
    }, soon)
    .toContainEqual(payload)
  await expect.poll(() => refused[0], soon).toContain('You do not have permissions to read from this')
})

it('Who is there: the keys of those who are', async () => {
  const shown = run('Who is there', ada)
  run('Who is there', bo)
  await expect.poll(() => (shown.at(-1) as string[] | undefined)?.toSorted(), soon).toEqual([ada.id, bo.id])
})

it('Rows that change: what was there, then what comes', async () => {
  const shown = run('Rows that change', { client: ada.client })
  const bodies = () => (shown.at(-1) as { body: string }[] | undefined)?.map(({ body }) => body)
  await expect.poll(bodies, soon).toHaveLength(2)
  await say('Boarding now')
  await expect.poll(bodies, soon).toEqual([expect.stringContaining('Twelve'), expect.any(String), 'Boarding now'])
})

it('Messages of the database: to whoever is there, and to whoever comes later', async () => {
  const rename = (title: string) => bo.client.from('trips').update({ title }).eq('id', trip.id).throwOnError()
  const there: unknown[] = []
  const channel = bo.client.channel(`trip:${trip.id}`, { config: { private: true } })
  await joined(channel.on('broadcast', { event: 'trip_changed' }, (message) => there.push(message)))
  await rename('Ocean to ocean')
  await expect.poll(() => there, soon).toMatchObject([{ meta: { cursor: expect.any(String) } }])
  const shown = run('Messages of the database', { client: ada.client })
  await expect.poll(() => shown, soon).toEqual(['Ocean to ocean'])
  await rename('Coast to coast')
  await expect.poll(() => shown, soon).toEqual(['Ocean to ocean', 'Coast to coast'])
})

it('Nothing missed: each message once, whatever the connection does', async () => {
  let live: RoamClient | undefined
  const shown = run('Nothing missed', ada, {
    createLive,
    createClient: (...asked: Parameters<typeof createClient>) => {
      live = createClient(...asked) as unknown as RoamClient
      clients.push(live)
      return live
    },
    url: api.url,
    key: api.keys.publishableKey,
    email: 'ada@roam.example',
    password: 'wander-far',
  })
  await say('Before the tunnel')
  const last = () => (shown.at(-1) as string[] | undefined)?.slice(-3)
  await expect.poll(last, soon).toContain('Before the tunnel')
  await live!.realtime.disconnect()
  await say('In the tunnel')
  live!.realtime.connect()
  await say('After it')
  await expect.poll(last, soon).toEqual(['Before the tunnel', 'In the tunnel', 'After it'])
})

it('the additions to the wire: cursors in answers and payloads, and going on from one', async () => {
  const key = api.keys.anonKey
  const token = (await ada.client.auth.getSession()).data.session!.access_token
  /** Joins over a socket of its own, and collects what comes. */
  const follow = async (cursor?: string) => {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${key}&vsn=2.0.0`)
    const came: [string, Record<string, unknown>][] = []
    socket.addEventListener('message', ({ data }) => {
      const [, , , event, payload] = JSON.parse(String(data)) as [unknown, unknown, unknown, string, object]
      came.push([event, payload as Record<string, unknown>])
    })
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    const changes = [{ event: 'INSERT', schema: 'public', table: 'chat_messages' }]
    const payload = { access_token: token, config: { postgres_changes: changes, cursor } }
    socket.send(JSON.stringify(['1', '1', 'realtime:chat', 'phx_join', payload]))
    const payloads = (name: string) => came.filter(([event]) => event === name).map(([, found]) => found)
    await expect.poll(() => payloads('system'), soon).not.toEqual([])
    return { socket, payloads }
  }
  const first = await follow()
  expect(first.payloads('phx_reply')).toMatchObject([{ response: { cursor: expect.any(String) } }])
  await say('One')
  await expect
    .poll(() => first.payloads('postgres_changes'), soon)
    .toMatchObject([{ data: { record: { body: 'One' } } }])
  const [{ cursor }] = first.payloads('postgres_changes') as [{ cursor: string }]
  first.socket.close()
  await say('Two')
  await say('Three')
  const second = await follow(cursor)
  const bodies = () =>
    second.payloads('postgres_changes').map((each) => (each['data'] as { record: { body: string } }).record.body)
  await expect.poll(bodies, soon).toEqual(['Two', 'Three'])
  second.socket.close()
  const third = await follow('0000000000000001.000000')
  await expect
    .poll(() => third.payloads('system'), soon)
    .toContainEqual(expect.objectContaining({ message: 'resync: too_old' }))
  third.socket.close()
})
