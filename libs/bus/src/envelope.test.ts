import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeEnvelope, encodeEnvelope, senderOf } from './envelope.ts'

const envelope = fc.record({
  kind: fc.constantFrom('may' as const, 'must' as const, 'note' as const),
  sender: fc.stringMatching(/^[A-Za-z0-9_-]{16}$/),
  number: fc.nat({ max: 2 ** 48 - 1 }),
  channel: fc.string({ unit: 'grapheme', maxLength: 40 }),
  body: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
})

test('an envelope comes out as it went in', () => {
  fc.assert(
    fc.property(envelope, (sent) => {
      const frame = encodeEnvelope(sent)
      expect(decodeEnvelope(frame)).toEqual(sent)
      expect(senderOf(frame)).toBe(sent.sender)
    }),
  )
})

test('any other bytes are an envelope or refused as none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const read = attempt(() => decodeEnvelope(Buffer.from(bytes)))
      expect(read instanceof Error ? read.name : read.kind).toMatch(/^(RangeError|may|must|note)$/)
    }),
  )
})

function attempt<T>(run: () => T): T | Error {
  try {
    return run()
  } catch (error) {
    return error as Error
  }
}
