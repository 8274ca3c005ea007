import type { RealtimeChannel } from '@supabase/supabase-js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import { Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs'
import { openPhoenix } from './testing/phoenix.ts'
import { join } from './testing/realtime-client.ts'
import { signUp } from './testing/second-factors.ts'
import { type Api, ask } from './testing/start-api.ts'
import { newName, startTwoNodes, type TwoNodes } from './testing/two-nodes.ts'

const policies = `
  create policy "members hear their room" on realtime.messages for select to authenticated
    using (realtime.topic() = 'room:' || (auth.jwt() ->> 'room'));
  create policy "members speak in their room" on realtime.messages for insert to authenticated
    with check (realtime.topic() = 'room:' || (auth.jwt() ->> 'room'));
  create policy "all read documents" on realtime.messages for select to authenticated
    using (realtime.topic() like 'document:%');
  create policy "all write documents" on realtime.messages for insert to authenticated
    with check (realtime.topic() like 'document:%');
`

/** Two nodes of one deployment. */
let nodes: TwoNodes
let one: Api
let other: Api
const connect: TwoNodes['connect'] = (place, wishes) => nodes.connect(place, wishes)

beforeAll(async () => {
  nodes = await startTwoNodes(policies)
  ;({ one, other } = nodes)
})

afterEach(() => nodes.leave())

afterAll(() => nodes?.stop())

const isLong = { timeout: 10_000 }

describe.each(['1.0.0', '2.0.0'])('a message to a client of version %s on the other node', (vsn) => {
  test.each(['1.0.0', '2.0.0'])('arrives as one of version %s has sent it', async (from) => {
    const name = newName()
    const heard: unknown[] = []
    const own: unknown[] = []
    const listener = connect(other, { vsn })
      .channel(name)
      .on('broadcast', { event: '*' }, (message) => heard.push(message))
    const speaker = connect(one, { vsn: from })
      .channel(name, { config: { broadcast: { ack: true } } })
      .on('broadcast', { event: '*' }, (message) => own.push(message))
    await join(listener)
    await join(speaker)
    const payload = { text: 'hallo 🌍', list: [1, null] }
    expect(await speaker.send({ type: 'broadcast', event: 'grüße', payload })).toBe('ok')
    await expect.poll(() => heard, isLong).toMatchObject([{ type: 'broadcast', event: 'grüße', payload }])
    expect(own).toEqual([])
  })
})

test('bytes arrive on the other node as bytes, however many', async () => {
  const name = newName()
  const heard: { payload: ArrayBuffer }[] = []
  const listener = connect(other)
    .channel(name)
    .on('broadcast', { event: 'bytes' }, (message) => heard.push(message as never))
  const speaker = connect(one).channel(name)
  await join(listener)
  await join(speaker)
  const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256)
  await speaker.send({ type: 'broadcast', event: 'bytes', payload: bytes.buffer })
  await speaker.send({ type: 'broadcast', event: 'bytes', payload: new ArrayBuffer(0) })
  await expect.poll(() => heard, isLong).toHaveLength(2)
  expect(heard.map(({ payload }) => Buffer.from(payload).equals(bytes))).toEqual([true, false])
})

test('who is told that they have joined misses nothing that is sent after it on the other node', async () => {
  const speaking = connect(one)
  const listening = connect(other)
  for (let round = 0; round < 20; round += 1) {
    const name = newName()
    const heard: number[] = []
    const speaker = await join(speaking.channel(name))
    const listener = listening
      .channel(name)
      .on('broadcast', { event: 'n' }, ({ payload }) => heard.push(payload['n'] as number))
    await join(listener)
    for (let n = 0; n < 3; n += 1) await speaker.send({ type: 'broadcast', event: 'n', payload: { n } })
    await expect.poll(() => heard, isLong).toEqual([0, 1, 2])
  }
})

test('messages sent over HTTP arrive on both nodes, in their order, whether or not anybody is there', async () => {
  const name = newName()
  const heard: string[] = []
  for (const api of [one, other]) {
    const channel = connect(api).channel(name)
    await join(
      channel.on('broadcast', { event: '*' }, ({ event }) => heard.push(`${api === one ? 'one' : 'other'} ${event}`)),
    )
  }
  const nobody = newName()
  const headers = { apikey: one.keys.anonKey }
  const messages = ['a', 'b'].map((event) => ({ topic: name, event, payload: { n: 1 } }))
  messages.unshift({ topic: nobody, event: 'a', payload: { n: 0 } })
  expect((await ask(`${one.url}/realtime/v1/api/broadcast`, { body: { messages }, headers })).status).toBe(202)
  const single = `${one.url}/realtime/v1/api/broadcast/${encodeURIComponent(name)}/events/c`
  expect((await ask(single, { body: { n: 3 }, headers })).status).toBe(202)
  await expect
    .poll(() => heard.toSorted(), isLong)
    .toEqual(['one a', 'one b', 'one c', 'other a', 'other b', 'other c'])
  expect(heard.filter((each) => each.startsWith('other'))).toEqual(['other a', 'other b', 'other c'])
})

describe('a private channel', () => {
  const open = async (api: Api, room: string, name = 'room:red') => {
    const client = connect(api, { token: await one.sign({ room, sub: crypto.randomUUID() }) })
    await client.setAuth()
    return client.channel(name, { config: { private: true, broadcast: { ack: true } } })
  }

  test('reaches its members on the other node, and is another one than the public channel of its name', async () => {
    const inside: unknown[] = []
    const outside: unknown[] = []
    const listener = await open(other, 'red')
    await join(listener.on('broadcast', { event: '*' }, ({ event }) => inside.push(event)))
    const stranger = connect(other).channel('room:red')
    await join(stranger.on('broadcast', { event: '*' }, ({ event }) => outside.push(event)))
    const speaker = await join(await open(one, 'red'))
    const passerby = await join(connect(one).channel('room:red'))
    await speaker.send({ type: 'broadcast', event: 'secret', payload: {} })
    await passerby.send({ type: 'broadcast', event: 'open', payload: {} })
    await expect.poll(() => [inside, outside], isLong).toEqual([['secret'], ['open']])
    await expect(join(await open(other, 'blue'))).rejects.toThrow('You do not have permissions to read')
  })

  test('hears a message of the database once on each node', async () => {
    const heard: [string, unknown][] = []
    for (const [place, api] of [
      ['one', one],
      ['other', other],
    ] as const) {
      const channel = await open(api, 'green', 'room:green')
      await join(channel.on('broadcast', { event: '*' }, ({ event }) => heard.push([place, event])))
    }
    await one.database.query("select realtime.send('{}', 'stored', 'room:green')")
    const speaker = await join(await open(one, 'green', 'room:green'))
    await expect.poll(() => heard.length, isLong).toBe(2)
    await speaker.send({ type: 'broadcast', event: 'last', payload: {} })
    await expect
      .poll(() => heard.toSorted(), isLong)
      .toEqual([
        ['one', 'last'],
        ['one', 'stored'],
        ['other', 'last'],
        ['other', 'stored'],
      ])
  })
})

test('a session that ends on one node ends its channels on the other', async () => {
  const { client, session } = await signUp(one)
  const phone = await openPhoenix(other.url, { apikey: other.keys.anonKey })
  await phone.join(newName(), {}, session.access_token)
  await client.auth.signOut({ scope: 'local' })
  const said = await phone.until(({ event, payload }) => event === 'system' && payload['status'] === 'error')
  expect(said.payload['message']).toBe('Session of the token has ended')
  phone.close()
})

describe('a document that is open on both nodes', () => {
  type Editor = { readonly channel: RealtimeChannel; readonly got: Buffer[] }

  const openEditor = async (api: Api, name: string): Promise<Editor> => {
    const client = connect(api, { token: await one.sign({ sub: crypto.randomUUID() }) })
    await client.setAuth()
    const got: Buffer[] = []
    const channel = client
      .channel(name, { config: { private: true, broadcast: { ack: true } } })
      .on('broadcast', { event: 'yjs' }, ({ payload }) => got.push(Buffer.from(payload as unknown as ArrayBuffer)))
    await join(channel)
    return { channel, got }
  }
  const tell = ({ channel }: Editor, bytes: number[]) =>
    channel.send({ type: 'broadcast', event: 'yjs', payload: Uint8Array.from(bytes).buffer })
  // Messages of y-protocols that are shorter than 128 bytes.
  const ask = (doc: Doc) => [0, 0, encodeStateVector(doc).length, ...encodeStateVector(doc)]
  const edit = (doc: Doc) => [0, 2, encodeStateAsUpdate(doc).length, ...encodeStateAsUpdate(doc)]
  const show = (awareness: Awareness) => {
    const update = encodeAwarenessUpdate(awareness, [awareness.clientID])
    return [1, update.length, ...update]
  }
  const has = ({ got }: Editor, text: string): boolean => got.some((bytes) => bytes.includes(text))

  test('has the edits and the cursors of both', async () => {
    const name = `document:${newName()}`
    const [ann, ben] = [await openEditor(one, name), await openEditor(other, name)]
    const doc = new Doc()
    const awareness = new Awareness(doc)
    awareness.setLocalState({ cursor: 'of ann' })
    await tell(ann, ask(doc))
    expect(await tell(ann, show(awareness))).toBe('ok')
    // Who opens it later sees who is there.
    await tell(ben, ask(doc))
    await expect.poll(() => has(ben, 'of ann'), isLong).toBe(true)
    const text = new Doc()
    text.getText('text').insert(0, 'written by ann')
    expect(await tell(ann, edit(text))).toBe('ok')
    await expect.poll(() => has(ben, 'written by ann'), isLong).toBe(true)
    awareness.setLocalState({ cursor: 'has moved' })
    await tell(ann, show(awareness))
    await expect.poll(() => has(ben, 'has moved'), isLong).toBe(true)
    ben.got.length = 0
    await ann.channel.unsubscribe()
    await expect.poll(() => ben.got.some((bytes) => bytes[0] === 1 && bytes.includes('null')), isLong).toBe(true)
    awareness.destroy()
  })
})
