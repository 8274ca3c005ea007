import { encodeOf } from '@pando/http/encodings'
import { expect, test } from 'vitest'
import { createLocalStore, type Entry } from './local-store.ts'
import { parseSnapshot } from './snapshot.ts'

const snapshot = parseSnapshot('5:7:')!
const toEntry = (body: Buffer): Entry => ({
  page: { pageRows: 1, body },
  tag: 'a tag',
  snapshot,
  schema: snapshot,
  tables: [1],
  madeAtMs: 0,
  seen: 0,
  sight: undefined,
  isOver: false,
  encodedBytes: 0,
})
const encode = (body: Buffer, coding: string, bytes: number): Promise<Buffer> =>
  encodeOf(body)!(coding, async () => Buffer.alloc(bytes))

test('what a body is in other codings is kept with it, and counted', async () => {
  const store = createLocalStore(100_000)
  const body = Buffer.alloc(10_000)
  store.set('a', toEntry(body))
  const { bytes } = store.size
  await encode(body, 'gzip', 3_000)
  await encode(body, 'br', 2_000)
  await encode(body, 'br', 2_000)
  expect(store.size).toEqual({ answers: 1, bytes: bytes + 5_000 })
  expect(store.get('a')).toMatchObject({ tag: 'a tag', page: { body } })
})

test('an answer leaves when the others, and what they are in other codings, need its place', async () => {
  const store = createLocalStore(25_000)
  const [first, last] = [Buffer.alloc(10_000), Buffer.alloc(10_000)]
  store.set('first', toEntry(first))
  store.set('last', toEntry(last))
  await encode(last, 'gzip', 4_000)
  expect([store.get('first'), store.get('last')?.page.body]).toEqual([undefined, last])
})

test('of an answer that has left, or has another in its place, nothing more is counted', async () => {
  const store = createLocalStore(100_000)
  const [before, now] = [Buffer.alloc(10_000), Buffer.alloc(10_000)]
  store.set('a', toEntry(before))
  store.set('a', toEntry(now))
  const { size } = store
  await encode(before, 'gzip', 3_000)
  expect(store.size).toEqual(size)
  store.clear()
  await encode(now, 'gzip', 3_000)
  expect(store.size).toEqual({ answers: 0, bytes: 0 })
})
