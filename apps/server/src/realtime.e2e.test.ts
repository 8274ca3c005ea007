import type { RealtimeClient } from '@supabase/supabase-js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connectRealtime, join, type RealtimeWishes } from './testing/realtime-client.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

let api: Api
const clients: RealtimeClient[] = []

const policies = `
  create policy "members hear their room" on realtime.messages for select to authenticated
    using (realtime.topic() = 'room:' || (auth.jwt() ->> 'room'));
  create policy "speakers speak in their room" on realtime.messages for insert to authenticated
    with check (realtime.topic() = 'room:' || (auth.jwt() ->> 'room') and (auth.jwt() ->> 'speaker')::boolean);
`

beforeAll(async () => {
  // As in a `supabase/` project.
  api = await startApi({ sql: policies, environment: { PANDO_REALTIME_UNDECIDED_DELETES: 'tell-key' } })
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.removeAllChannels()))
})

afterAll(() => api?.stop())

function connect(wishes?: RealtimeWishes): RealtimeClient {
  const client = connectRealtime(api, wishes)
  clients.push(client)
  return client
}

let names = 0
const newName = (): string => `name ${++names} ü:🌳`

describe.each([
  ['1.0.0', '1.0.0'],
  ['2.0.0', '2.0.0'],
  ['1.0.0', '2.0.0'],
  ['2.0.0', '1.0.0'],
])('a message from a client of version %s to one of %s', (from, to) => {
  test('arrives as it was sent, and not at its sender', async () => {
    const name = newName()
    const heard: unknown[] = []
    const own: unknown[] = []
    const listener = connect({ vsn: to })
      .channel(name)
      .on('broadcast', { event: '*' }, (message) => heard.push(message))
    const speaker = connect({ vsn: from })
      .channel(name, { config: { broadcast: { ack: true } } })
      .on('broadcast', { event: '*' }, (message) => own.push(message))
    await Promise.all([join(listener), join(speaker)])
    expect(
      await speaker.send({ type: 'broadcast', event: 'grüße', payload: { text: 'hallo 🌍', list: [1, null] } }),
    ).toBe('ok')
    await expect.poll(() => heard).toHaveLength(1)
    expect(heard[0]).toMatchObject({
      type: 'broadcast',
      event: 'grüße',
      payload: { text: 'hallo 🌍', list: [1, null] },
    })
    expect(own).toEqual([])
  })
})

test('bytes arrive as bytes', async () => {
  const name = newName()
  const heard: { payload: ArrayBuffer }[] = []
  const listener = connect()
    .channel(name)
    .on('broadcast', { event: 'bytes' }, (message) => heard.push(message as never))
  const speaker = connect().channel(name)
  await Promise.all([join(listener), join(speaker)])
  await speaker.send({ type: 'broadcast', event: 'bytes', payload: Uint8Array.from([0, 255, 10]).buffer })
  await expect.poll(() => heard).toHaveLength(1)
  expect([...new Uint8Array(heard[0]!.payload)]).toEqual([0, 255, 10])
})

test('who asks for it hears their own messages', async () => {
  const heard: unknown[] = []
  const channel = connect()
    .channel(newName(), { config: { broadcast: { self: true } } })
    .on('broadcast', { event: 'e' }, ({ payload }) => heard.push(payload))
  await join(channel)
  await channel.send({ type: 'broadcast', event: 'e', payload: { n: 1 } })
  await expect.poll(() => heard).toEqual([{ n: 1 }])
})

test('messages sent over HTTP arrive, one and many', async () => {
  const name = newName()
  const heard: unknown[] = []
  const channel = connect()
    .channel(name)
    .on('broadcast', { event: '*' }, ({ event, payload }) => heard.push([event, payload]))
  await join(channel)
  const headers = { apikey: api.keys.anonKey }
  const messages = [
    { topic: name, event: 'a', payload: { n: 1 } },
    { topic: name, event: 'b', payload: { n: 2 } },
  ]
  const many = await ask(`${api.url}/realtime/v1/api/broadcast`, { body: { messages }, headers })
  expect(many.status).toBe(202)
  const one = `${api.url}/realtime/v1/api/broadcast/${encodeURIComponent(name)}/events/c`
  expect((await ask(one, { body: { n: 3 }, headers })).status).toBe(202)
  await expect
    .poll(() => heard)
    .toEqual([
      ['a', { n: 1 }],
      ['b', { n: 2 }],
      ['c', { n: 3 }],
    ])
  expect((await ask(`${api.url}/realtime/v1/api/broadcast`, { body: { messages: [{}] }, headers })).status).toBe(422)
})

describe('presence', () => {
  test('who is there is told to who comes, and to all when somebody comes, changes or goes', async () => {
    const name = newName()
    const [ann, ben] = await Promise.all(
      ['ann', 'ben'].map((key) => {
        const channel = connect().channel(name, { config: { presence: { key } } })
        return join(channel.on('presence', { event: 'sync' }, () => {}))
      }),
    )
    await ann!.track({ mood: 'good' })
    await expect.poll(() => ben!.presenceState()).toMatchObject({ ann: [{ mood: 'good' }] })
    await ben!.track({ mood: 'fine' })
    await ann!.track({ mood: 'better' })
    await expect.poll(() => ben!.presenceState()).toMatchObject({ ann: [{ mood: 'better' }], ben: [{ mood: 'fine' }] })
    await expect.poll(() => ann!.presenceState()).toEqual(ben!.presenceState())
    await ann!.untrack()
    await expect.poll(() => Object.keys(ben!.presenceState())).toEqual(['ben'])
    const late = connect().channel(name, { config: { presence: { key: 'late' } } })
    await join(late.on('presence', { event: 'sync' }, () => {}))
    await expect.poll(() => late.presenceState()).toMatchObject({ ben: [{ mood: 'fine' }] })
    await ben!.unsubscribe()
    await expect.poll(() => late.presenceState()).toEqual({})
  })
})

describe('a private channel', () => {
  const tokenOf = (claims: object) => api.sign({ role: 'authenticated', sub: crypto.randomUUID(), ...claims })
  const open = async (claims: object, name = 'room:red') => {
    const client = connect({ token: await tokenOf(claims) })
    await client.setAuth()
    return client.channel(name, { config: { private: true, broadcast: { ack: true } } })
  }

  test('is heard and spoken in by whom the policies let, and by nobody else', async () => {
    const heard: unknown[] = []
    const listener = await open({ room: 'red' })
    const speaker = await open({ room: 'red', speaker: true })
    const stranger = await open({ room: 'blue' })
    listener.on('broadcast', { event: '*' }, ({ payload }) => heard.push(payload))
    await Promise.all([join(listener), join(speaker)])
    await expect(join(stranger)).rejects.toThrow(
      'You do not have permissions to read from this Channel topic: room:red',
    )
    await speaker.send({ type: 'broadcast', event: 'e', payload: { n: 1 } })
    void listener.send({ type: 'broadcast', event: 'e', payload: { n: 2 } })
    await speaker.send({ type: 'broadcast', event: 'e', payload: { n: 3 } })
    await expect.poll(() => heard).toEqual([{ n: 1 }, { n: 3 }])
  })

  test('is another one than the public channel of the same name', async () => {
    const heard: unknown[] = []
    const listener = await open({ room: 'red' })
    listener.on('broadcast', { event: '*' }, (message) => heard.push(message))
    const outside = connect().channel('room:red')
    await Promise.all([join(listener), join(outside)])
    await outside.send({ type: 'broadcast', event: 'e', payload: {} })
    const speaker = await open({ room: 'red', speaker: true })
    await join(speaker)
    await speaker.send({ type: 'broadcast', event: 'last', payload: {} })
    await expect.poll(() => heard).toMatchObject([{ event: 'last' }])
  })
})

test('a message that was sent right before the join comes once, as a replay', async () => {
  const client = connect({ token: await api.sign({ role: 'authenticated', room: 'green', sub: crypto.randomUUID() }) })
  await client.setAuth()
  for (let round = 0; round < 5; round += 1) {
    const heard: [string, number][] = []
    const since = Date.now() - 1
    await api.database.query("select realtime.send($1, 'e', 'room:green')", [{ round }])
    const channel = client
      .channel('room:green', { config: { private: true, broadcast: { replay: { since, limit: 5 } } } })
      .on('broadcast', { event: '*' }, ({ event, payload }) => heard.push([event, payload['round'] as number]))
    await join(channel)
    await api.database.query("select realtime.send($1, 'last', 'room:green')", [{ round }])
    await expect.poll(() => heard).toContainEqual(['last', round])
    expect(heard.filter(([event, of]) => event === 'e' && of === round)).toHaveLength(1)
    await client.removeChannel(channel)
  }
})

describe('changes of rows', () => {
  test('reach who may see them, with what the filter asks for, from the commit on', async () => {
    await api.database.run(`
      create table public.notes (id bigint primary key, owner uuid, text text);
      alter table public.notes enable row level security;
      create policy "own" on public.notes for select to authenticated using (owner = auth.uid());
      grant select on public.notes to authenticated;
      alter publication supabase_realtime add table public.notes;
    `)
    const owner = crypto.randomUUID()
    const follow = async (sub: string) => {
      const heard: unknown[] = []
      const client = connect({ token: await api.sign({ role: 'authenticated', sub }) })
      await client.setAuth()
      const channel = client
        .channel(newName())
        .on('postgres_changes', { event: '*', schema: 'public', table: 'notes' }, (change) => heard.push(change))
      const ready = new Promise((resolve) => channel.on('system', {}, resolve))
      await join(channel)
      expect(await ready).toMatchObject({ extension: 'postgres_changes', status: 'ok' })
      return heard
    }
    const [own, others] = await Promise.all([follow(owner), follow(crypto.randomUUID())])
    await api.database.query('insert into public.notes values (1, $1, $2)', [owner, 'first'])
    await api.database.query('update public.notes set text = $1', ['second'])
    await api.database.query('delete from public.notes')
    await expect.poll(() => own, { timeout: 10_000 }).toHaveLength(3)
    expect(own).toMatchObject([
      { eventType: 'INSERT', new: { id: 1, owner, text: 'first' } },
      { eventType: 'UPDATE', new: { id: 1, owner, text: 'second' } },
      { eventType: 'DELETE', old: { id: 1 } },
    ])
    expect(others).toMatchObject([{ eventType: 'DELETE' }])
  })

  test('are followed when who wants to wait for that is told SUBSCRIBED, or the reason why not is told', async () => {
    const follow = (table: string) =>
      connect()
        .channel(newName(), { config: { postgres_changes_options: { wait: true } } })
        .on('postgres_changes', { event: '*', schema: 'public', table }, () => {})
    await expect(join(follow('nowhere'))).rejects.toThrow(/^RealtimeDisabledForConfiguration: Unable to subscribe/)
    await join(follow('notes'))
  })
})
