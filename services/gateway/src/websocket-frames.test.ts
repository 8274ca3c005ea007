import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Receiver } from 'ws'
import { createFrameCursor, toCloseFrame } from './websocket-frames.ts'

/** A frame as RFC 6455 §5.2 has it. */
function toFrame({ opcode, length, isMasked }: { opcode: number; length: number; isMasked: boolean }): Buffer {
  const short = length < 126 ? length : length < 0x1_0000 ? 126 : 127
  const extended = Buffer.alloc(short < 126 ? 0 : short === 126 ? 2 : 8)
  if (short === 126) extended.writeUInt16BE(length)
  if (short === 127) extended.writeBigUInt64BE(BigInt(length))
  const head = Buffer.from([0x80 | opcode, (isMasked ? 0x80 : 0) | short])
  return Buffer.concat([head, extended, Buffer.alloc((isMasked ? 4 : 0) + length, 0x81)])
}

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
    length: fc.oneof(fc.nat(130), fc.constantFrom(125, 126, 65_535, 65_536, 70_000)),
    isMasked: fc.boolean(),
  }),
  { maxLength: 6 },
)

describe('a cursor', () => {
  it('knows where frames end, however the bytes are cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1 }), (all, cuts) => {
        const bytes = Buffer.concat(all.map(toFrame))
        const ends = new Set(
          all.map((_, index) => Buffer.concat(all.slice(0, index + 1).map(toFrame)).length).concat(0),
        )
        const cursor = createFrameCursor()
        for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
          at += cursor.take(bytes.subarray(at, at + cuts[cut % cuts.length]!))
          expect(cursor.isBetween).toBe(ends.has(at))
        }
        expect(cursor.hasClosed).toBe(false)
      }),
      { numRuns: 50 },
    )
  })

  it('stops where the frame ends that is under way, when it is told to', () => {
    const [one, two] = [
      toFrame({ opcode: 1, length: 300, isMasked: true }),
      toFrame({ opcode: 2, length: 5, isMasked: false }),
    ]
    const cursor = createFrameCursor()
    cursor.take(one.subarray(0, 100))
    const rest = Buffer.concat([one.subarray(100), two])
    expect(cursor.take(rest, { untilFrameEnds: true })).toBe(one.length - 100)
    expect(cursor.isBetween).toBe(true)
  })

  it('notices a side that has said that it closes', () => {
    const cursor = createFrameCursor()
    cursor.take(toCloseFrame(1000, 'client'))
    expect([cursor.hasClosed, cursor.isBetween]).toEqual([true, true])
  })
})

it.each(['server', 'client'] as const)('a close frame of a %s is one', async (by) => {
  const receiver = new Receiver({ isServer: by === 'client', maxPayload: 125, maxFragments: 1, maxBufferedChunks: 8 })
  const code = new Promise((resolve) => receiver.on('conclude', resolve))
  receiver.write(toCloseFrame(1012, by))
  expect(await code).toBe(1012)
})
