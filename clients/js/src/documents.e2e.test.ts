import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { type Api, startApi } from '@pando/server/testing/start-api'
import { createClient, type RealtimeChannel, type SupabaseClient } from '@supabase/supabase-js'
import { Awareness } from 'y-protocols/awareness'
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase } from '@pando/postgres/database'
import { type FaultProxy, startFaultProxy } from '@pando/tools/fault-proxy'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type DocumentStatus, shareDocument, type SharedDocument } from './documents.ts'
import { holdServer } from './testing/hold-server.ts'

/** Who has a team reads its documents, and writes them unless it is a guest. */
const policies = `
  create policy "teams read" on realtime.messages for select to authenticated
    using (realtime.topic() like 'document:' || (auth.jwt() ->> 'team') || ':%');
  create policy "teams write" on realtime.messages for insert to authenticated
    with check (realtime.topic() like 'document:' || (auth.jwt() ->> 'team') || ':%' and auth.jwt() ->> 'guest' is null);
  create policy "guests show themselves" on realtime.messages for insert to authenticated
    with check (extension = 'presence' and auth.jwt() ->> 'guest' = 'seen');
`

let database: TestDatabase
let api: Api
let tunnel: FaultProxy
const clients: SupabaseClient[] = []
const shared: SharedDocument[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  await database.run(policies)
  const environment = {
    PANDO_REALTIME_DOCUMENT_BYTES_MAX: '64kb',
    PANDO_REALTIME_DOCUMENT_UPDATE_BYTES_MAX: '16kb',
    PANDO_REALTIME_DOCUMENT_UPDATES_MAX: '5',
  }
  api = await startApi({ beside: { database }, environment })
  tunnel = await startFaultProxy(api.url)
})

afterEach(async () => {
  await Promise.all(shared.splice(0).map((document) => document.destroy()))
  await Promise.all(clients.splice(0).map((client) => client.removeAllChannels()))
})

afterAll(async () => {
  await tunnel?.stop()
  await api?.stop()
  await database?.close()
})

let names = 0
const newTopic = (team = 'red'): string => `document:${team}:${++names}`

async function signIn(claims: object = {}, by = tunnel): Promise<SupabaseClient> {
  const token = await api.sign({ sub: crypto.randomUUID(), team: 'red', ...claims })
  const client = createClient(by.url, api.keys.anonKey, {
    accessToken: () => Promise.resolve(token),
    realtime: { reconnectAfterMs: () => 50 },
  })
  clients.push(client)
  return client
}

const openChannel = (client: SupabaseClient, topic: string, config = {}): RealtimeChannel =>
  client.channel(topic, { config: { private: true, ...config } })

/** Somebody with a document on a channel, as an app has it. */
async function open(topic: string, claims: object = {}, by = tunnel) {
  const doc = new Doc()
  const awareness = new Awareness(doc)
  const statuses: DocumentStatus[] = []
  const channel = openChannel(await signIn(claims, by), topic)
  const document = shareDocument({ channel, doc, awareness, onStatus: (status) => statuses.push(status) })
  shared.push(document)
  await expect.poll(() => document.status().state).toBe('synced')
  return { doc, awareness, document, channel, statuses, text: doc.getText('text') }
}

const countRows = async (topic: string): Promise<number> => {
  const text = `select count(*)::int as count from realtime.document_updates
    join realtime.documents on documents.id = document_id where topic = $1`
  return (await database.query<{ count: number }>(text, [topic]))[0]!.count
}

test('who edits the same document sees what the others write, and who comes later all of it', async () => {
  const topic = newTopic()
  const [ann, ben] = await Promise.all([open(topic), open(topic)])
  ann.text.insert(0, 'Hello')
  await expect.poll(() => ben.text.toString()).toBe('Hello')
  ben.text.insert(5, ', world')
  await expect.poll(() => ann.text.toString()).toBe('Hello, world')
  await Promise.all([ann.document.destroy(), ben.document.destroy()])
  const late = await open(topic)
  expect(late.text.toString()).toBe('Hello, world')
})

test('what is written offline arrives with the connection, in both directions', async () => {
  const topic = newTopic()
  const [ann, ben] = await Promise.all([open(topic), open(topic)])
  ann.text.insert(0, 'base ')
  await expect.poll(() => ben.text.toString()).toBe('base ')
  tunnel.cut()
  ann.text.insert(5, 'ann ')
  ben.text.insert(5, 'ben ')
  await expect.poll(() => ann.text.toString().length, { timeout: 20_000 }).toBe(13)
  await expect.poll(() => ben.text.toString(), { timeout: 20_000 }).toBe(ann.text.toString())
})

test('many edits are folded into one row, and nothing is lost', async () => {
  const topic = newTopic()
  const ann = await open(topic)
  for (let count = 1; count <= 12; count += 1) {
    ann.text.insert(0, 'x')
    // The next one is in a message of its own.
    await expect.poll(() => readText(topic)).toHaveLength(count)
  }
  expect(await countRows(topic)).toBeLessThanOrEqual(6)
})

async function readText(topic: string): Promise<string> {
  const doc = new Doc()
  const rows = await database.query<{ bytes: Uint8Array }>(
    'select document_updates.bytes from realtime.document_updates join realtime.documents on id = document_id where topic = $1',
    [topic],
  )
  for (const { bytes } of rows) applyUpdate(doc, bytes)
  return doc.getText('text').toString()
}

test('edits on one node reach those on another', async () => {
  const topic = newTopic()
  const other = await startApi({ beside: { database } })
  const way = await startFaultProxy(other.url)
  try {
    const [ann, ben] = [await open(topic), await open(topic, {}, way)]
    ann.text.insert(0, 'from ann')
    await expect.poll(() => ben.text.toString()).toBe('from ann')
    ben.text.insert(8, ', from ben')
    await expect.poll(() => ann.text.toString()).toBe('from ann, from ben')
  } finally {
    await Promise.all(shared.splice(0).map((document) => document.destroy()))
    await way.stop()
    await other.stop()
  }
})

test('an edit of which Postgres has heard and nobody else survives the node', async () => {
  const topic = newTopic()
  const first = await holdServer(database, api.keys)
  const way = await startFaultProxy(first.url)
  const [ann, ben] = await Promise.all([open(topic, {}, way), open(topic, {}, way)])
  ann.text.insert(0, 'told')
  await expect.poll(() => ben.text.toString()).toBe('told')
  const blocker = createDatabase({ url: database.url, applicationName: 'test', connectionsMax: 1 })
  await blocker.transaction(async (transaction) => {
    await transaction.query('lock table realtime.document_updates in share mode')
    ann.text.insert(4, ', kept')
    const waiting = `select from pg_locks where relation = 'realtime.document_updates'::regclass and not granted`
    await expect.poll(() => database.query(waiting)).toHaveLength(1)
    // Postgres goes on with what it was told; the node does not hear of it.
    first.child.kill('SIGSTOP')
  })
  await blocker.close()
  await expect.poll(() => readText(topic)).toBe('told, kept')
  expect(ben.text.toString()).toBe('told')
  first.child.kill('SIGKILL')
  await ann.document.destroy()
  way.leadTo(api.url)
  way.cut()
  await expect.poll(() => ben.text.toString(), { timeout: 20_000 }).toBe('told, kept')
  await way.stop()
})

describe('policies', () => {
  test('let somebody who may only read follow, and take nothing from them', async () => {
    const topic = newTopic()
    const [ann, guest] = await Promise.all([open(topic), open(topic, { guest: true })])
    expect(ann.document.status()).toEqual({ state: 'synced', mayWrite: true })
    expect(guest.document.status()).toEqual({ state: 'synced', mayWrite: false })
    guest.text.insert(0, 'mine')
    // Their app may be any app.
    const forged = new Doc()
    forged.getText('text').insert(0, 'forged')
    const update = encodeStateAsUpdate(forged)
    await send(guest.channel, Uint8Array.from([0, 2, update.length, ...update]))
    await expect
      .poll(() => guest.document.status())
      .toMatchObject({ reason: expect.stringContaining('DocumentReadOnly') })
    ann.text.insert(0, 'theirs')
    await expect.poll(() => guest.text.toString()).toContain('theirs')
    expect(ann.text.toString()).toBe('theirs')
    expect(await readText(topic)).toBe('theirs')
  })

  test('let a guest show their cursor and not write, or neither', async () => {
    const topic = newTopic()
    const [ann, seen, hidden] = await Promise.all(
      [{}, { guest: 'seen' }, { guest: 'hidden' }].map((claims) => open(topic, claims)),
    )
    hidden!.awareness.setLocalStateField('name', 'Hidden')
    seen!.awareness.setLocalStateField('name', 'Seen')
    await expect.poll(() => ann!.awareness.getStates().get(seen!.doc.clientID)).toEqual({ name: 'Seen' })
    expect(ann!.awareness.getStates().has(hidden!.doc.clientID)).toBe(false)
    expect(hidden!.document.status()).toEqual({ state: 'synced', mayWrite: false })
  })

  test('keep strangers out', async () => {
    const channel = openChannel(await signIn({ team: 'blue' }), newTopic())
    const refused = new Promise((resolve) => channel.subscribe((_status, error) => resolve(error?.message)))
    expect(await refused).toContain('Unauthorized')
  })

  test('are needed: a public channel has no document', async () => {
    const topic = newTopic()
    const doc = new Doc()
    const channel = (await signIn()).channel(topic)
    const document = shareDocument({ channel, doc })
    shared.push(document)
    await expect
      .poll(() => document.status())
      .toMatchObject({ state: 'refused', reason: expect.stringContaining('DocumentNeedsPrivateChannel') })
  })
})

test('a public channel has a document where the configuration says so', async () => {
  const open = await startApi({ beside: { database }, environment: { PANDO_REALTIME_DOCUMENTS_PUBLIC: 'true' } })
  try {
    const topic = newTopic()
    const doc = new Doc()
    const client = createClient(open.url, open.keys.anonKey, { auth: { persistSession: false } })
    clients.push(client)
    shared.push(shareDocument({ channel: client.channel(topic), doc }))
    await expect.poll(() => shared[0]!.status()).toEqual({ state: 'synced', mayWrite: true })
    doc.getText('text').insert(0, 'everybody')
    await expect.poll(() => readText(topic)).toBe('everybody')
  } finally {
    await shared.pop()?.destroy()
    await clients.pop()?.removeAllChannels()
    await open.stop()
  }
})

test('a drag that edits and shows its cursor all the time stays within what a socket may send', async () => {
  const topic = newTopic()
  const [ann, ben] = await Promise.all([open(topic), open(topic)])
  for (let count = 0; count < 200; count += 1) {
    ann.text.insert(count, 'x')
    ann.awareness.setLocalStateField('at', count)
    await sleep(5)
  }
  await expect.poll(() => ben.text.toString()).toHaveLength(200)
  expect(ann.statuses.map(({ state }) => state)).toEqual(['connecting', 'synced'])
})

test('cursors are seen by the others, and gone with their owner', async () => {
  const topic = newTopic()
  const [ann, ben] = await Promise.all([open(topic), open(topic)])
  ann.awareness.setLocalStateField('name', 'Ann')
  await expect.poll(() => ben.awareness.getStates().get(ann.doc.clientID)).toEqual({ name: 'Ann' })
  const late = await open(topic)
  await expect.poll(() => late.awareness.getStates().get(ann.doc.clientID)).toEqual({ name: 'Ann' })
  tunnel.cut()
  await expect.poll(() => ben.awareness.getStates().has(ann.doc.clientID)).toBe(false)
  await expect.poll(() => ben.awareness.getStates().get(ann.doc.clientID), { timeout: 20_000 }).toEqual({ name: 'Ann' })
  await ann.document.destroy()
  await expect.poll(() => ben.awareness.getStates().has(ann.doc.clientID)).toBe(false)
})

describe('what is refused', () => {
  /** Sends bytes with the SDK alone, and says what came of it. */
  async function sendAlone(topic: string, bytes: Uint8Array): Promise<unknown> {
    const channel = openChannel(await signIn(), topic, { broadcast: { ack: true } })
    const told: unknown[] = []
    channel.on('system', {}, ({ message }) => told.push(message))
    await new Promise<void>((resolve) => channel.subscribe((status) => status === 'SUBSCRIBED' && resolve()))
    const outcome = await send(channel, bytes)
    return { outcome, told }
  }
  const refusal = (code: string) => ({ outcome: 'error', told: [expect.stringContaining(code)] })

  test('bytes that say nothing reach nobody', async () => {
    const topic = newTopic()
    const ann = await open(topic)
    const heard: unknown[] = []
    const listener = openChannel(await signIn(), topic).on('broadcast', { event: '*' }, (message) =>
      heard.push(message),
    )
    await new Promise<void>((resolve) => listener.subscribe((status) => status === 'SUBSCRIBED' && resolve()))
    for (const bytes of [[], [9], [0, 7, 0], [0, 2, 200], [0, 2, 3, 1, 255, 255], [0, 0, 2, 9, 9], [1, 2, 1, 5]])
      expect(await sendAlone(topic, Uint8Array.from(bytes))).toEqual(refusal('DocumentMalformed'))
    // As REST does, which knows nothing of documents.
    const path = `${api.url}/realtime/v1/api/broadcast/${topic}/events/yjs?private=true`
    const authorization = `Bearer ${await api.sign({ team: 'red' })}`
    const headers = { apikey: api.keys.anonKey, authorization, 'content-type': 'application/octet-stream' }
    expect((await fetch(path, { method: 'POST', headers, body: Uint8Array.from([9, 9]) })).status).toBe(202)
    await database.query(`select realtime.send_binary('\\x0909', 'yjs', $1)`, [topic])
    await database.query(`select realtime.send('{}', 'after', $1)`, [topic])
    await expect.poll(() => heard).toHaveLength(1)
    expect(heard).toMatchObject([{ event: 'after' }])
    expect(await countRows(topic)).toBe(0)
    ann.text.insert(0, 'still here')
    await expect.poll(() => readText(topic)).toBe('still here')
  })

  test('an edit that builds on one that never came', async () => {
    const topic = newTopic()
    const doc = new Doc()
    doc.getText('text').insert(0, 'first')
    const updates: Uint8Array[] = []
    doc.on('update', (update) => updates.push(update))
    doc.getText('text').insert(5, 'second')
    const bytes = Uint8Array.from([0, 2, updates[0]!.length, ...updates[0]!])
    expect(await sendAlone(topic, bytes)).toEqual(refusal('DocumentOutOfStep'))
    expect(await countRows(topic)).toBe(0)
  })

  test('an edit and a document that are too large', async () => {
    const topic = newTopic()
    const ann = await open(topic)
    ann.text.insert(0, 'x'.repeat(17_000))
    await expect
      .poll(() => ann.document.status())
      .toMatchObject({ reason: expect.stringContaining('DocumentUpdateTooLarge') })
    const large = newTopic()
    const ben = await open(large)
    for (let part = 1; part <= 4; part += 1) {
      ben.text.insert(0, 'x'.repeat(15_000))
      await expect.poll(() => readText(large)).toHaveLength(part * 15_000)
    }
    ben.text.insert(0, 'x'.repeat(15_000))
    await expect
      .poll(() => ben.document.status())
      .toMatchObject({ reason: expect.stringContaining('DocumentTooLarge') })
    expect(await readText(large)).toHaveLength(60_000)
    const late = await open(large)
    expect(late.text.toString()).toHaveLength(60_000)
  })
})

const send = (channel: RealtimeChannel, bytes: Uint8Array) =>
  channel.send({ type: 'broadcast', event: 'yjs', payload: bytes.slice().buffer })
