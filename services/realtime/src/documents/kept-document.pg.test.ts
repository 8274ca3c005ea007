import { createDatabase, type Database } from '@pando/postgres/database'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs'
import { createBudget } from './budget.ts'
import { createDocumentStore, type DocumentStore } from './document-store.ts'
import { createKeptDocument } from './kept-document.ts'
import { createOpenDocument, type Peer } from './open-document.ts'
import { parseDocumentMessage, toAsk, toUpdate } from './sync-messages.ts'

const options = {
  documentBytesMax: 4096,
  documentUpdateBytesMax: 1024,
  documentUpdatesMax: 4,
  presenceBytesMax: 1024,
} as never

let testDatabase: TestDatabase
let database: Database
let store: DocumentStore
let topics = 0

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  const url = testDatabase.urlAs('supabase_realtime_admin')
  database = createDatabase({ url, applicationName: 'test', connectionsMax: 4, prepares: true })
  store = createDocumentStore(database)
})
afterAll(async () => {
  await database?.close()
  await testDatabase?.close()
})

function newDocument(topic = `document:${++topics}`, budget = createBudget(2 ** 20)) {
  const key = { topic, isPrivate: true }
  return { key, kept: createKeptDocument({ key, store, options, budget }) }
}

/** Edits of one client, each as its update. */
function write(...texts: string[]): readonly Uint8Array[] {
  const doc = new Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update) => updates.push(update))
  for (const text of texts) doc.getText('text').insert(doc.getText('text').length, text)
  return updates
}

const textOf = (doc: Doc | undefined): string | undefined => doc?.getText('text').toString()

test('many updates are folded into one row, and somebody who knows some of them reads on from there', async () => {
  const { key, kept } = newDocument()
  const other = newDocument(key.topic).kept
  const updates = write('a', 'b', 'c', 'd', 'e', 'f')
  for (const update of updates.slice(0, 3)) expect(await kept.write([update])).toEqual([undefined])
  await other.read()
  for (const update of updates.slice(3)) {
    await kept.write([update])
    await kept.foldWhenDue()
  }
  expect((await store.read(key, 0))?.updates.map(({ seq }) => seq)).toEqual([5, 6])
  await other.read()
  expect(textOf(other.doc())).toBe('abcdef')
  const [row] = await testDatabase.query<{ correct: boolean }>(
    `select bytes = (select sum(length(bytes)) from realtime.document_updates where document_id = id) as correct
     from realtime.documents where topic = $1`,
    [key.topic],
  )
  expect(row?.correct).toBe(true)
})

test('two nodes that fold at the same time keep everything', async () => {
  const { key, kept } = newDocument()
  const other = newDocument(key.topic).kept
  const [a, b, c, d, e, f] = write('a', 'b', 'c', 'd', 'e', 'f') as [Uint8Array, ...Uint8Array[]]
  for (const update of [a, b!, c!, d!]) await kept.write([update])
  await other.read()
  await Promise.all([kept.write([e!]).then(kept.foldWhenDue), other.write([e!, f!]).then(other.foldWhenDue)])
  const late = newDocument(key.topic).kept
  await late.read()
  expect(textOf(late.doc())).toBe('abcdef')
})

test('each update is refused for itself', async () => {
  const { kept } = newDocument()
  const [first, , third] = write('a', 'b', 'c')
  const refused = await kept.write([third!, Uint8Array.from([1, 9]), first!])
  expect(refused).toEqual([expect.stringContaining('OutOfStep'), expect.stringContaining('Malformed'), undefined])
  expect(textOf(kept.doc())).toBe('a')
})

test('what has no room is not in memory either', async () => {
  const { kept } = newDocument()
  await kept.write(write('x'.repeat(3000)))
  expect(await kept.write(write('y'.repeat(2000)))).toEqual([expect.stringContaining('DocumentTooLarge')])
  await kept.read()
  expect(textOf(kept.doc())).toBe('x'.repeat(3000))
})

test('a document that was deleted is a new one, which may be written anew', async () => {
  const { key, kept } = newDocument()
  const updates = write('a', 'b')
  await kept.write([updates[0]!])
  await database.query('delete from realtime.documents where topic = $1', [key.topic])
  expect(await kept.write([updates[1]!])).toEqual([expect.stringContaining('DocumentUnavailable')])
  expect(await kept.write([updates[1]!])).toEqual([expect.stringContaining('DocumentOutOfStep')])
  expect(await kept.write(updates)).toEqual([undefined, undefined])
  expect(textOf(kept.doc())).toBe('ab')
})

test('a node opens only what it has memory for', async () => {
  const budget = createBudget(5 * 1024)
  const first = newDocument(undefined, budget).kept
  const second = newDocument(undefined, budget).kept
  expect(await first.read()).toBe(true)
  expect(await second.read()).toBe(false)
  expect(await second.write(write('a'))).toEqual([expect.stringContaining('DocumentsFull')])
  first.forget()
  expect(await second.read()).toBe(true)
})

test('somebody who is too slow gets all that they missed at once', async () => {
  const { key, kept } = newDocument()
  const onFailed = (error: unknown): never => expect.fail(String(error))
  const document = createOpenDocument({
    topic: key.topic,
    kept,
    options,
    onFailed,
    tellOthers: () => {},
    onEmpty: () => {},
  })
  let isBehind = false
  let drain = (): void => {}
  const got: Uint8Array[] = []
  const newPeer = (behind: () => boolean, send: (message: Uint8Array) => void): Peer => ({
    may: () => true,
    send,
    isBehind: behind,
    onceDrained: (callback) => void (drain = callback),
  })
  const slow = newPeer(
    () => isBehind,
    (message) => got.push(message),
  )
  const quick = newPeer(
    () => false,
    () => {},
  )
  const tell = (peer: Peer, message: Uint8Array): Promise<unknown> =>
    new Promise((resolve) => document.receive(peer, message, resolve))
  const updates = write('a', 'b', 'c', 'd')
  await tell(slow, toAsk(Uint8Array.from([0])))
  await tell(quick, toUpdate(updates[0]!))
  isBehind = true
  for (const update of updates.slice(1)) await tell(quick, toUpdate(update))
  const before = got.length
  isBehind = false
  drain()
  await expect.poll(() => got.length).toBe(before + 1)
  const doc = new Doc()
  for (const message of got) {
    const parsed = parseDocumentMessage(message)!
    if ('update' in parsed) applyUpdate(doc, parsed.update)
  }
  expect(textOf(doc)).toBe('abcd')
  expect(encodeStateAsUpdate(doc)).toEqual(encodeStateAsUpdate(kept.doc()!))
  document.close()
})
