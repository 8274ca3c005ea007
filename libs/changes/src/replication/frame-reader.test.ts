import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame } from '../testing/encode-message.ts'
import { FrameReader } from './frame-reader.ts'

const frameBytesMax = 100
const frame = fc.record({
  type: fc.constantFrom('d', 'D', 'Z'),
  body: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 90, maxLength: 300 })),
})

/** What a reader makes of chunks: whole frames, and the first bytes of those that are too long. */
function read(chunks: readonly Buffer[], isHeld: () => boolean = () => false): unknown[] {
  const seen: unknown[] = []
  const reader = new FrameReader(
    {
      isHeld,
      frame: (type, bytes, start, end) => seen.push([type, bytes.toString('hex', start, end)]),
      oversized: (type, head, bodyBytes) => seen.push([type, head.toString('hex'), bodyBytes]),
    },
    frameBytesMax,
  )
  for (const chunk of chunks) {
    // Who is held comes back with what was left over.
    for (let at = 0; at < chunk.length;) at += reader.read(chunk.subarray(at))
  }
  return seen
}

/** The bytes cut at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end))
}

test('frames are the same wherever chunks end, and long ones keep their first bytes only', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 30 }), (frames, places) => {
      const bytes = Buffer.concat(frames.map(({ type, body }) => encodeFrame(type, Buffer.from(body))))
      const expected = frames.map(({ type, body }) => {
        const whole = Buffer.from(body)
        if (body.length <= frameBytesMax) return [type.charCodeAt(0), whole.toString('hex')]
        return [type.charCodeAt(0), whole.toString('hex', 0, 64), body.length]
      })
      expect(read([bytes])).toEqual(expected)
      expect(read(cut(bytes, places))).toEqual(expected)
      expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(expected)
    }),
  )
})

test('a reader that is held takes nothing beyond the frame', () => {
  const bytes = Buffer.concat([encodeFrame('W', Buffer.alloc(3)), encodeFrame('d', Buffer.from('data'))])
  let isHeld = false
  const reader = new FrameReader(
    { isHeld: () => isHeld, frame: () => (isHeld = true), oversized: () => undefined },
    100,
  )
  expect(reader.read(bytes)).toBe(8)
  expect(reader.read(bytes.subarray(8))).toBe(0)
})

test.each([0, 3, 0x7fff_ffff, -1])('a length of %i is a stream out of step', (length) => {
  const header = Buffer.from([0x64, 0, 0, 0, 0, 0])
  header.writeInt32BE(length, 1)
  expect(() => read([header])).toThrow(RangeError)
})
