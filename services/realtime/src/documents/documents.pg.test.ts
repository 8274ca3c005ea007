import { setImmediate } from 'node:timers/promises'
import { createDatabase, type Database } from '@pando/postgres/database'
import { type Listener, listen } from '@pando/postgres/listen'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyUpdate, Doc, encodeStateVector, parseUpdateMeta, getState, Map as SharedMap } from 'yjs'
import { createBudget } from './budget.ts'
import { createDocumentStore, type DocumentStore, documentsNotice, parseNotice } from './document-store.ts'
import { createKeptDocument, type KeptDocument } from './kept-document.ts'
import { createOpenDocument, type OpenDocument } from './open-document.ts'
import { parseDocumentMessage } from './sync-messages.ts'
import { createEditor, type Editor } from './testing/editor.ts'

let testDatabase: TestDatabase
let database: Database
let listener: Listener
const nodes = new Set<Node>()

const options = {
  documentBytesMax: 2 ** 20,
  documentUpdateBytesMax: 2 ** 16,
  documentUpdatesMax: 3,
  presenceBytesMax: 2 ** 16,
} as never

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  const url = testDatabase.urlAs('supabase_realtime_admin')
  database = createDatabase({ url, applicationName: 'test', connectionsMax: 4, prepares: true })
  listener = listen({
    url,
    applicationName: 'test',
    channels: [documentsNotice],
    onNotice: (_channel, payload) => {
      const { name, seq } = parseNotice(payload)!
      for (const node of nodes) if (name === `true ${node.topic}` && node.kept.lacks(seq)) node.document.lookAgain()
    },
    onReconnected: () => {},
  })
  await listener.ready
})
afterAll(async () => {
  await listener?.stop()
  await database?.close()
  await testDatabase?.close()
})

/** A server with one document open. */
type Node = { readonly topic: string; readonly document: OpenDocument; readonly kept: KeptDocument }

function startNode(topic: string, store: DocumentStore, faults: unknown[]): Node {
  const key = { topic, isPrivate: true }
  const kept = createKeptDocument({ key, store, options, budget: createBudget(2 ** 30) })
  const document = createOpenDocument({
    topic,
    kept,
    options,
    onFailed: (error) => faults.push(error),
    tellOthers: () => {},
    onEmpty: () => kept.forget(),
  })
  const node = { topic, document, kept }
  nodes.add(node)
  return node
}

/** As `kill -9`: what is under way with Postgres goes on there, and nothing else. */
function killNode(node: Node): void {
  nodes.delete(node)
  node.document.close()
}

type Step =
  | { readonly kind: 'edit'; readonly who: number; readonly what: string; readonly at: number; readonly text: string }
  | { readonly kind: 'connect'; readonly who: number; readonly where: number }
  | { readonly kind: 'disconnect'; readonly who: number }
  | { readonly kind: 'kill'; readonly where: number }
  | { readonly kind: 'wait'; readonly turns: number }

const editors = 3
const who = fc.nat(editors - 1)
const where = fc.nat(1)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('edit' as const),
      who,
      what: fc.constantFrom('insert', 'delete', 'set', 'push', 'format', 'nest'),
      at: fc.nat(20),
      text: fc.string({ minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('connect' as const), who, where }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('disconnect' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), where }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 30 }) }) },
)

function edit(doc: Doc, { what, at, text: given }: Step & { kind: 'edit' }): void {
  const text = doc.getText('text')
  const list = doc.getArray('list')
  const [from, left] = [Math.min(at, text.length), Math.max(0, text.length - at)]
  if (what === 'insert') text.insert(from, given)
  else if (what === 'delete') text.delete(from, Math.min(left, 3))
  else if (what === 'format') text.format(from, Math.min(left, 3), { bold: at % 2 === 0 ? true : null })
  else if (what === 'set') doc.getMap('map').set(`key ${at % 3}`, given)
  else if (what === 'push') list.push([given])
  else list.insert(0, [new SharedMap([['text', given]])])
}

const read = (doc: Doc) => ({
  text: doc.getText('text').toDelta(),
  // The order of keys is that of arrival.
  map: Object.entries(doc.getMap('map').toJSON()).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  list: doc.getArray('list').toJSON(),
})

async function readKept(topic: string): Promise<Doc> {
  const doc = new Doc()
  const stored = await createDocumentStore(database).read({ topic, isPrivate: true }, 0)
  for (const { bytes } of stored?.updates ?? []) applyUpdate(doc, bytes)
  return doc
}

let topics = 0

/** Plays the steps, connects everybody, and waits until all have the same, which Postgres has as well. */
async function play(steps: readonly Step[], storeOf: (store: DocumentStore) => DocumentStore = (store) => store) {
  const topic = `document:${++topics}`
  const inPostgres = new Doc()
  const faults: unknown[] = []
  const store = storeOf(watchStore(createDocumentStore(database), inPostgres))
  const servers = [startNode(topic, store, faults), startNode(topic, store, faults)]
  const places: (number | undefined)[] = []
  const people: Editor[] = Array.from({ length: editors }, () =>
    createEditor((message) => {
      if (!isKept(message, inPostgres)) faults.push('somebody was told what Postgres does not have')
    }),
  )
  const leave = (person: number): void => {
    places[person] = undefined
    people[person]!.disconnect()
  }
  const join = (person: number, place: number): void => {
    leave(person)
    places[person] = place
    people[person]!.connect(servers[place]!.document)
  }
  for (const one of steps) {
    if (one.kind === 'edit') edit(people[one.who]!.doc, one)
    else if (one.kind === 'connect') join(one.who, one.where)
    else if (one.kind === 'disconnect') leave(one.who)
    else if (one.kind === 'wait') for (let turn = 0; turn < one.turns; turn += 1) await setImmediate()
    else {
      killNode(servers[one.where]!)
      people.forEach((_, person) => places[person] === one.where && leave(person))
      servers[one.where] = startNode(topic, store, faults)
    }
  }
  people.forEach((_, person) => join(person, person % 2))
  await expect.poll(() => new Set(people.map(({ doc }) => JSON.stringify(read(doc)))).size, { timeout: 5000 }).toBe(1)
  await expect.poll(async () => read(await readKept(topic)), { timeout: 5000 }).toEqual(read(people[0]!.doc))
  const vector = (doc: Doc): string => Buffer.from(encodeStateVector(doc)).toString('hex')
  await expect.poll(async () => vector(await readKept(topic)), { timeout: 5000 }).toBe(vector(people[1]!.doc))
  people.forEach((_, person) => leave(person))
  servers.forEach(killNode)
  expect(faults).toEqual([])
}

/** Notes what Postgres has as soon as it says so. */
function watchStore(store: DocumentStore, inPostgres: Doc): DocumentStore {
  return {
    ...store,
    async read(key, afterSeq) {
      const stored = await store.read(key, afterSeq)
      for (const { bytes } of stored?.updates ?? []) applyUpdate(inPostgres, bytes)
      return stored
    },
    async create(key, bytes) {
      const id = await store.create(key, bytes)
      if (id !== undefined) applyUpdate(inPostgres, bytes)
      return id
    },
    async append(id, bytes, bytesMax) {
      const seq = await store.append(id, bytes, bytesMax)
      if (seq !== undefined) applyUpdate(inPostgres, bytes)
      return seq
    },
  }
}

/** Nothing is on a wire that Postgres does not have. */
function isKept(message: Uint8Array, { store }: Doc): boolean {
  const parsed = parseDocumentMessage(message)!
  if (parsed.kind !== 'update' && parsed.kind !== 'answer') return true
  return [...parseUpdateMeta(parsed.update).to].every(([client, clock]) => clock <= getState(store, client))
}

test('everybody ends with the same, and so does Postgres, whoever comes and goes and whichever node is killed', async () => {
  const played = fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => play(steps)),
    { numRuns: 60, endOnFailure: true },
  )
  await expect(played).resolves.toBeUndefined()
})

/** Two in the document; one writes twice. */
const writing: Step[] = [
  { kind: 'connect', who: 0, where: 0 },
  { kind: 'connect', who: 1, where: 0 },
  { kind: 'wait', turns: 3000 },
  { kind: 'edit', who: 0, what: 'insert', at: 0, text: 'a' },
  { kind: 'wait', turns: 3000 },
  { kind: 'edit', who: 0, what: 'insert', at: 0, text: 'b' },
  { kind: 'wait', turns: 3000 },
]

test('that would be noticed if a store lost updates', async () => {
  const lossy = (store: DocumentStore): DocumentStore => ({
    ...store,
    create: () => Promise.resolve('0'),
    append: () => Promise.resolve(2),
  })
  await play(writing)
  await expect(play(writing, lossy)).rejects.toThrow(/to be 1|to deeply equal \{/)
})

test('that would be noticed if others heard of an update before Postgres has it', async () => {
  const hasty = (store: DocumentStore): DocumentStore => ({
    ...store,
    append: (...given) => {
      void store.append(...given)
      return Promise.resolve(2)
    },
  })
  await expect(play(writing, hasty)).rejects.toThrow('to deeply equal []')
})
