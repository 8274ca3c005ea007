import type { Api } from '@pando/server/testing/start-api'
import type { RealtimeChannel, RealtimeChannelOptions } from '@supabase/supabase-js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connect, type Person, type RoamClient, signIn, soon, startRoam } from './testing/start-roam.ts'

let api: Api
let ada: Person
let bo: Person
let cleo: Person
/** From coast to coast: Bo's, and Ada comes along. */
let trip: number

beforeAll(async () => {
  api = await startRoam()
  ;[ada, bo, cleo] = await Promise.all([signIn(api, 'ada'), signIn(api, 'bo'), signIn(api, 'cleo')])
  const { data } = await bo.client.from('trips').select('id').eq('title', 'Coast to coast').single().throwOnError()
  trip = data.id
})
afterEach(() => Promise.all([ada, bo, cleo].map(({ client }) => client.removeAllChannels())))
afterAll(() => api?.stop())

const tripChannel = ({ id, client }: Person, config: RealtimeChannelOptions['config'] = {}): RealtimeChannel =>
  client.channel(`trip:${trip}`, { config: { private: true, presence: { key: id }, ...config } })

/** Resolves when the channel is joined, rejects with what the server said. */
const join = (channel: RealtimeChannel): Promise<RealtimeChannel> =>
  new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === 'SUBSCRIBED') resolve(channel)
      if (status === 'CHANNEL_ERROR' || status === 'TIMED_OUT') reject(error ?? new Error(status))
    })
  })

/** What somebody hears of the chat from now on: texts, and ids of what was taken back. */
async function followChat(client: RoamClient, name: string): Promise<unknown[]> {
  const heard: unknown[] = []
  const channel = client
    .channel(name)
    .on('postgres_changes', { event: '*', schema: 'public', table: 'chat_messages' }, (change) =>
      heard.push(change.eventType === 'INSERT' ? change.new['body'] : { [change.eventType]: change.old['id'] }),
    )
  const ready = new Promise((resolve) => channel.on('system', {}, resolve))
  await join(channel)
  expect(await ready).toMatchObject({ extension: 'postgres_changes', status: 'ok' })
  return heard
}

describe('the chat of a trip', () => {
  const say = (client: RoamClient, body: string, id = crypto.randomUUID()) =>
    client.from('chat_messages').insert({ id, trip_id: trip, body })
  const saidBy = async (client: RoamClient): Promise<string[]> => {
    const { data } = await client.from('chat_messages').select('body').order('sent_at').throwOnError()
    return data.map(({ body }) => body)
  }

  it('reaches whoever is on the trip, and nobody else', async () => {
    const hears = await Promise.all([
      followChat(ada.client, 'chat of Ada'),
      followChat(bo.client, 'chat of Bo'),
      followChat(cleo.client, 'chat of Cleo'),
    ])
    await say(bo.client, 'I am at the gate').throwOnError()
    await say(ada.client, 'So am I').throwOnError()
    await expect.poll(() => hears[0], soon).toEqual(['I am at the gate', 'So am I'])
    await expect.poll(() => hears[1], soon).toEqual(['I am at the gate', 'So am I'])
    expect((await saidBy(ada.client)).slice(-2)).toEqual(['I am at the gate', 'So am I'])
    expect(await saidBy(cleo.client)).toEqual([])

    await bo.client.from('companions').insert({ trip_id: trip, person: cleo.id }).throwOnError()
    await say(bo.client, 'Welcome, Cleo').throwOnError()
    await expect.poll(() => hears[2], soon).toEqual(['Welcome, Cleo'])
    await cleo.client.from('companions').delete().eq('person', cleo.id).throwOnError()
    await say(bo.client, 'She is gone').throwOnError()
    await expect.poll(() => hears[0], soon).toHaveLength(4)
    expect(hears[2]).toEqual(['Welcome, Cleo'])
  })

  it('is not for strangers to write, nor for anybody in the name of another', async () => {
    expect((await say(cleo.client, 'Hello?')).error?.code).toBe('42501')
    expect((await say(connect(api), 'Hello?')).error?.code).toBe('42501')
    const asBo = { trip_id: trip, body: 'As Bo', author: bo.id }
    expect((await ada.client.from('chat_messages').insert(asBo)).error?.code).toBe('42501')
    const early = { trip_id: trip, body: 'Long ago', sent_at: '2001-01-01T00:00:00Z' }
    expect((await ada.client.from('chat_messages').insert(early)).error?.code).toBe('42501')
  })

  it('knows a message again that is sent twice', async () => {
    const id = crypto.randomUUID()
    expect((await say(ada.client, 'Once', id)).error).toBeNull()
    expect((await say(ada.client, 'Once', id)).error?.code).toBe('23505')
  })

  it('tells what was taken back; only the author can', async () => {
    const id = crypto.randomUUID()
    await say(ada.client, 'Never mind', id).throwOnError()
    const heard = await followChat(bo.client, 'chat of Bo')
    const takenBack = () => heard.filter((what) => typeof what === 'object')
    await bo.client.from('chat_messages').delete().eq('id', id).throwOnError()
    await ada.client.from('chat_messages').delete().eq('id', id).throwOnError()
    await expect.poll(takenBack, soon).toEqual([{ DELETE: id }])
  })
})

describe('the channel of a trip', () => {
  it('is closed to strangers', async () => {
    const refusal = `You do not have permissions to read from this Channel topic: trip:${trip}`
    await expect(join(tripChannel(cleo))).rejects.toThrow(refusal)
    const guest = connect(api)
    await expect(join(tripChannel({ id: 'guest', client: guest }))).rejects.toThrow(refusal)
    await guest.removeAllChannels()
  })

  it('carries where somebody is, to the others, and no table keeps it', async () => {
    const heard: unknown[] = []
    const own: unknown[] = []
    const listener = tripChannel(ada).on('broadcast', { event: 'location' }, ({ payload }) => heard.push(payload))
    const walker = tripChannel(bo, { broadcast: { ack: true } })
    walker.on('broadcast', { event: 'location' }, ({ payload }) => own.push(payload))
    await Promise.all([join(listener), join(walker)])
    const places = [40.6, 40.7, 40.8].map((latitude) => ({ person: bo.id, latitude, longitude: -73.8 }))
    for (const payload of places) await walker.send({ type: 'broadcast', event: 'location', payload })
    await expect.poll(() => heard, soon).toEqual(places)
    expect(own).toEqual([])
    const [kept] = await api.database.query<{ count: string }>(
      `select count(*) from realtime.messages where event = 'location'`,
    )
    expect(kept).toEqual({ count: '0' })
  })

  it('shows who is there', async () => {
    const channels = [ada, bo].map((person) => tripChannel(person).on('presence', { event: 'sync' }, () => {}))
    const [left, right] = (await Promise.all(channels.map(join))) as [RealtimeChannel, RealtimeChannel]
    await Promise.all([left.track({ handle: 'ada' }), right.track({ handle: 'bo_r' })])
    const both = { [ada.id]: [{ handle: 'ada' }], [bo.id]: [{ handle: 'bo_r' }] }
    await expect.poll(() => left.presenceState(), soon).toMatchObject(both)
    await expect.poll(() => right.presenceState(), soon).toMatchObject(both)
    await right.unsubscribe()
    await expect.poll(() => Object.keys(left.presenceState()), soon).toEqual([ada.id])
  })

  it('tells when the trip is another, and keeps that for whoever comes later', async () => {
    const heard: { payload: { record: { title: string }; old_record: { title: string } } }[] = []
    await join(tripChannel(ada).on('broadcast', { event: 'trip_changed' }, (message) => heard.push(message as never)))
    const since = Date.now() - 60_000
    const rename = (title: string) => bo.client.from('trips').update({ title }).eq('id', trip).throwOnError()
    await rename('Ocean to ocean')
    await rename('Coast to coast')
    await expect
      .poll(() => heard.map(({ payload }) => payload.record.title), soon)
      .toEqual(['Ocean to ocean', 'Coast to coast'])
    expect(heard[0]!.payload.old_record.title).toBe('Coast to coast')

    const late: string[] = []
    const channel = tripChannel(bo, { broadcast: { replay: { since, limit: 10 } } })
    await join(channel.on('broadcast', { event: 'trip_changed' }, ({ payload }) => late.push(payload.record.title)))
    await expect.poll(() => late, soon).toEqual(['Ocean to ocean', 'Coast to coast'])
  })
})

describe('whoever is taken along', () => {
  const tripOf = async (title: string): Promise<number> => {
    const { data } = await ada.client.from('trips').select('id').eq('title', title).single().throwOnError()
    return data.id
  }

  it('hears of it on a channel of their own, sees the trip, and may leave it', async () => {
    const party = await tripOf('A surprise party')
    const heard: unknown[] = []
    const channel = cleo.client.channel(`person:${cleo.id}`, { config: { private: true } })
    await join(channel.on('broadcast', { event: 'taken_along' }, ({ payload }) => heard.push(payload)))
    await ada.client.from('companions').insert({ trip_id: party, person: cleo.id }).throwOnError()
    await expect.poll(() => heard, soon).toMatchObject([{ trip_id: party, title: 'A surprise party' }])
    const seen = () => cleo.client.from('trips').select('title').eq('id', party).throwOnError()
    expect((await seen()).data).toEqual([{ title: 'A surprise party' }])
    const { data: companions } = await cleo.client.from('companions').select('person:profiles(handle)').throwOnError()
    expect(companions).toEqual([{ person: { handle: 'cleo' } }])
    await cleo.client.from('companions').delete().eq('trip_id', party).throwOnError()
    expect((await seen()).data).toEqual([])
  })

  it('is alone on that channel, and says nothing there', async () => {
    const name = `person:${cleo.id}`
    await expect(join(bo.client.channel(name, { config: { private: true } }))).rejects.toThrow('permissions')
    const heard: unknown[] = []
    const other = await signIn(api, 'cleo')
    const [first, second] = [cleo, other].map(({ client }) => client.channel(name, { config: { private: true } })) as [
      RealtimeChannel,
      RealtimeChannel,
    ]
    first.on('broadcast', { event: '*' }, ({ event }) => heard.push(event))
    await Promise.all([join(first), join(second)])
    await second.send({ type: 'broadcast', event: 'forged', payload: {} })
    await api.database.query(`select realtime.send('{}', 'real', $1)`, [name])
    await expect.poll(() => heard, soon).toEqual(['real'])
    await other.client.removeAllChannels()
  })

  it('is so by the one who plans the trip alone', async () => {
    const museums = await tripOf('Museums in the rain')
    const { error } = await cleo.client.from('companions').insert({ trip_id: museums, person: cleo.id })
    expect(error?.code).toBe('42501')
    expect((await bo.client.from('companions').delete().eq('trip_id', museums).select()).data).toEqual([])
  })
})
