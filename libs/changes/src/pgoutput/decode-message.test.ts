import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyMessage } from '../testing/arbitrary-messages.ts'
import { encodeMessage } from '../testing/encode-message.ts'
import type { Message } from './message.ts'
import { decodeMessage } from './decode-message.ts'

/** What was thrown that is no `RangeError`. */
function attempt(decode: () => unknown): unknown {
  try {
    decode()
  } catch (error) {
    if (!(error instanceof RangeError)) return error
  }
}

test('every message is decoded as it was encoded, wherever in a chunk it stands', () => {
  fc.assert(
    fc.property(
      anyMessage,
      fc.uint8Array({ maxLength: 9 }),
      fc.uint8Array({ maxLength: 9 }),
      (message, before, after) => {
        const encoded = encodeMessage(message)
        const chunk = Buffer.concat([before, encoded, after])
        expect(decodeMessage(chunk, before.length, before.length + encoded.length)).toEqual(message)
      },
    ),
    { numRuns: 2000 },
  )
})

test('a message that is cut off or too long is refused and never read beyond', () => {
  fc.assert(
    fc.property(anyMessage, fc.nat(), (message, cut) => {
      const encoded = encodeMessage(message)
      // What follows in the chunk are zeros, which would do for the end of any text.
      const chunk = Buffer.concat([encoded, Buffer.alloc(64)])
      expect(() => decodeMessage(chunk, 0, cut % encoded.length)).toThrow(RangeError)
      expect(() => decodeMessage(chunk, 0, encoded.length + 1 + (cut % 60))).toThrow(RangeError)
    }),
    { numRuns: 1000 },
  )
})

test('bytes of any kind are a message or a RangeError', () => {
  fc.assert(
    fc.property(fc.constantFrom(...'BCDIMORTUYX'), fc.uint8Array({ maxLength: 60 }), (letter, rest) => {
      const bytes = Buffer.concat([Buffer.from(letter), rest])
      expect(attempt(() => decodeMessage(bytes, 0, bytes.length))).toBe(undefined)
    }),
    { numRuns: 3000 },
  )
})

// What PostgreSQL 18 sent for: update t set n = 'é' where id = 1, on t (id int primary key, n text, p text) with a long p.
test.each([
  [
    '42000000000178aeb8000303dc1f664456000002f4',
    { kind: 'begin', commitLsn: 0x178aeb8n, committedAt: 0x303dc1f664456n, xid: 756 },
  ],
  [
    '520000400a7075626c69630074006400030169640000000017ffffffff006e0000000019ffffffff00700000000019ffffffff',
    {
      kind: 'relation',
      relation: {
        oid: 16394,
        schema: 'public',
        table: 't',
        replicaIdentity: 'default',
        columns: [
          { name: 'id', typeOid: 23, typeModifier: -1, isKey: true },
          { name: 'n', typeOid: 25, typeModifier: -1, isKey: false },
          { name: 'p', typeOid: 25, typeModifier: -1, isKey: false },
        ],
      },
    },
  ],
  [
    '550000400a4e00037400000001317400000002c3a975',
    { kind: 'update', relationOid: 16394, old: undefined, row: ['1', 'é', undefined] },
  ],
  [
    '4300000000000178aeb8000000000178aee8000303dc1f664456',
    { kind: 'commit', commitLsn: 0x178aeb8n, endLsn: 0x178aee8n, committedAt: 0x303dc1f664456n },
  ],
])('a captured message is decoded: %s', (hex, message) => {
  const bytes = Buffer.from(hex, 'hex')
  expect(decodeMessage(bytes, 0, bytes.length)).toEqual(message)
  expect(encodeMessage(message as Message).toString('hex')).toBe(hex)
})
