import type { Change, Relation } from '@pando/changes/change'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Delivery } from '../changes/change-run.ts'
import { createChangeEncoder } from '../changes/encode-change.ts'
import type { TableFacts } from '../changes/facts.ts'
import { type Client, isBehind } from '../sockets/client.ts'
import { createChangeSender } from './change-sender.ts'
import type { Member } from './member.ts'
import { newTopic } from './topics.ts'
import { Receiver } from 'ws'

const queueBytesMax = 64 * 1024
const columns = ['id', 'text'].map((name) => ({ name, typeOid: 25, typeName: 'text', selectable: true, isKey: true }))
const relation: Relation = {
  oid: 1,
  schema: 'public',
  table: 'notes',
  replicaIdentity: 'default',
  columns,
  describedAt: '',
}
const facts = { oid: 1, schema: 'public', table: 'notes', columns, key: ['id'], types: [], hasRowSecurity: false }
const encoder = createChangeEncoder(facts as unknown as TableFacts, relation, undefined)
const committedAt = '2026-01-01T00:00:00.000000Z'

let places = 0
function newDelivery(kind: 'insert' | 'update', id: number, text: string): Delivery {
  const cursor = String((places += 1)).padStart(9, '0')
  const change: Change = { cursor, kind, relation, row: [String(id), text], old: undefined, committedAt }
  const dataJson = encoder.encode(change, { showsOld: false })
  return { ids: [1], dataJson, cursor, commitTimestamp: committedAt, row: { change, encoder } }
}

/** Two ends of a connection: the phone reads what it likes. */
let phone: Socket
let socket: Socket
let payloads: object[] = []

beforeEach(async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  phone = connect((server.address() as AddressInfo).port, '127.0.0.1')
  ;[socket] = (await once(server, 'connection')) as [Socket]
  server.close()
  payloads = []
  const receiver = new Receiver({ isServer: false, maxPayload: 0, maxFragments: 0, maxBufferedChunks: 0 })
  receiver.on('message', (data: Buffer) => payloads.push((JSON.parse(data.toString()) as object[])[4]!))
  phone.on('data', (chunk: Buffer) => void receiver.write(chunk))
})

afterEach(() => {
  phone.destroy()
  socket.destroy()
})

function newMember(): Member {
  const client = { socket, version: 2, queueBytesMax, answersBytes: 0, members: new Map() } as unknown as Client
  const topic = newTopic('notes', false)
  const member = { client, topic, address: 'realtime:notes', joinRef: '1', missing: undefined } as unknown as Member
  topic.members.add(member)
  return member
}

type Told = { readonly type: string; readonly record: { readonly id: string; readonly text: string } }

/** What the phone has read: changes, and words of the server. */
const changesRead = (): readonly Told[] => payloads.flatMap((each) => ('data' in each ? [each.data as Told] : []))
const wordsRead = (): readonly unknown[] => payloads.flatMap((each) => ('message' in each ? [each.message] : []))
const otherRowsRead = (): readonly Told[] => changesRead().filter(({ record }) => record.id !== '0')

/** One row changes until what the network holds is full. */
function fillNetwork(send: (delivery: Delivery) => void, client: Client): Promise<void> {
  phone.pause()
  return vi.waitUntil(
    () => {
      for (let count = 0; count < 20; count += 1) send(newDelivery('update', 0, 'x'.repeat(8_000)))
      return isBehind(client)
    },
    { interval: 1, timeout: 30_000 },
  ) as unknown as Promise<void>
}

/** Until nothing has passed for a while: the network may hold much, and takes it late. */
async function settle(send: (delivery: Delivery) => void, client: Client): Promise<void> {
  for (let quiet = 0; quiet < 20;) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    quiet = isBehind(client) ? quiet + 1 : 0
    if (!isBehind(client)) await fillNetwork(send, client)
  }
}

test('a phone that does not read costs bounded memory however much changes, and then gets the newest of each row', async () => {
  const sender = createChangeSender(() => {})
  const member = newMember()
  const { client } = member
  const send = (delivery: Delivery): void => sender.send(member, delivery)
  await fillNetwork(send, client)
  await settle(send, client)
  const largest = 16 * 1024
  for (let round = 0; round < 100; round += 1) {
    for (let id = 1; id <= 50; id += 1) {
      send(newDelivery(round === 0 ? 'insert' : 'update', id, `text ${round}`))
      expect(sender.waitingBytes(client)).toBeLessThanOrEqual(queueBytesMax)
      expect(socket.writableLength).toBeLessThanOrEqual(queueBytesMax + largest)
    }
  }
  expect(sender.waitingBytes(client)).toBeGreaterThan(0)
  phone.resume()
  await expect.poll(() => sender.waitingBytes(client)).toBe(0)
  await expect.poll(() => otherRowsRead()).toHaveLength(50)
  for (const told of otherRowsRead()) expect(told).toMatchObject({ type: 'INSERT', record: { text: 'text 99' } })
  expect(wordsRead()).toEqual([])
  send(newDelivery('update', 1, 'live again'))
  await expect.poll(() => changesRead().at(-1)?.record.text).toBe('live again')
})

test('when too many rows have changed it is told once to fetch, and hears what comes after that', async () => {
  const sender = createChangeSender(() => {})
  const member = newMember()
  const { client } = member
  const send = (delivery: Delivery): void => sender.send(member, delivery)
  await fillNetwork(send, client)
  await settle(send, client)
  for (let id = 1; id <= 5_000; id += 1) {
    send(newDelivery('insert', id, 'text'))
    expect(sender.waitingBytes(client)).toBeLessThanOrEqual(queueBytesMax)
  }
  phone.resume()
  await expect.poll(() => wordsRead()).toEqual(['resync: too_slow'])
  expect(otherRowsRead()).toEqual([])
  send(newDelivery('insert', 6_000, 'after'))
  await expect.poll(() => changesRead().at(-1)?.record.text).toBe('after')
  expect(wordsRead()).toEqual(['resync: too_slow'])
})
