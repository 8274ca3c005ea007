import { expect, test } from 'vitest'
import { encodeOf, keepEncodings } from './encodings.ts'

function setUp() {
  const body = Buffer.from('a body')
  const counted: number[] = []
  let made = 0
  keepEncodings(body, (bytes) => counted.push(bytes))
  const make = async (): Promise<Buffer> => Buffer.from(`made ${(made += 1)}`)
  return { body, counted, encode: encodeOf(body)!, make }
}

test('a body that is kept is encoded once for each coding, by however many at once', async () => {
  const { encode, make, counted } = setUp()
  const found = await Promise.all([encode('br', make), encode('gzip', make), encode('br', make)])
  expect([...found, await encode('gzip', make)].map(String)).toEqual(['made 1', 'made 2', 'made 1', 'made 2'])
  expect(counted).toEqual([6, 6])
})

test('what is kept has no more memory than it needs', async () => {
  const { encode } = setUp()
  const found = await encode('br', async () => Buffer.allocUnsafeSlow(10_000).subarray(0, 5))
  expect([found.length, found.buffer.byteLength]).toEqual([5, 5])
})

test('a coding that fails is tried again', async () => {
  const { encode, make, counted } = setUp()
  const failing = encode('br', () => Promise.reject(new Error('broken')))
  await expect(failing).rejects.toThrow('broken')
  expect(counted).toEqual([])
  expect(String(await encode('br', make))).toBe('made 1')
})

test('nothing is kept of other bodies, equal ones among them', () => {
  const { body } = setUp()
  expect([Buffer.from(body), String(body), undefined].map(encodeOf)).toEqual([undefined, undefined, undefined])
})
