import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBroadcast, encodeBroadcast, type PassedOn } from './line-broadcast.ts'

const broadcast: fc.Arbitrary<PassedOn> = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((text) => ({ json: JSON.stringify({ text }) })),
  fc.record({
    user: fc.record({
      event: fc.string({ unit: 'grapheme' }),
      encoding: fc.constantFrom('json' as const, 'binary' as const),
      bytes: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    }),
  }),
)

test('a message is the same on the other node, byte for byte', () => {
  fc.assert(
    fc.property(broadcast, (sent) => {
      expect(decodeBroadcast(encodeBroadcast(sent))).toEqual(sent)
    }),
  )
})

test('what no node writes is refused', () => {
  expect(() => decodeBroadcast(Buffer.from([9, 0, 0]))).toThrow('in an unknown way: 9')
  expect(() => decodeBroadcast(Buffer.from([1]))).toThrow(RangeError)
})
