import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeEnvelope, senderOf } from './envelope.ts'
import { createFrameJoiner, partBytesMax, splitFrame } from './parts.ts'

const size = fc.oneof(
  fc.nat({ max: 300 }),
  fc.nat({ max: 4 * partBytesMax }),
  fc.constantFrom(partBytesMax, partBytesMax - 30),
)
const sent = fc.record({
  sender: fc.constantFrom('a', 'b', 'c').map((letter) => letter.repeat(16)),
  size,
  fill: fc.nat(255),
})
const toFrame = ({ sender, size: length, fill }: { sender: string; size: number; fill: number }): Buffer =>
  encodeEnvelope({ kind: 'may', sender, number: 1, channel: 'talk', body: Buffer.alloc(length, fill) })

test('frames come out of their parts, however those of several senders are mixed', () => {
  fc.assert(
    fc.property(fc.array(sent, { maxLength: 6 }), fc.infiniteStream(fc.nat(2)), (all, choices) => {
      const joiner = createFrameJoiner(2 ** 20)
      const queues = new Map<string, string[]>()
      for (const [number, one] of all.entries()) {
        queues.set(one.sender, [...(queues.get(one.sender) ?? []), ...splitFrame(toFrame(one), one.sender, number)])
      }
      const joined: Buffer[] = []
      for (const choice of choices) {
        const left = [...queues.values()].filter((queue) => queue.length > 0)
        if (left.length === 0) break
        const text = left[choice % left.length]!.shift()!
        expect(text.length).toBeLessThan(8000)
        const frame = joiner.take(text)
        if (frame !== undefined) joined.push(frame)
      }
      const sorted = (frames: Buffer[], sender: string): Buffer[] =>
        frames.filter((frame) => senderOf(frame) === sender)
      for (const sender of queues.keys()) expect(sorted(joined, sender)).toEqual(sorted(all.map(toFrame), sender))
    }),
  )
})

test('of parts that were lost, nothing comes out but whole frames', () => {
  const lost = fc.record({ size: fc.nat({ max: 3 * partBytesMax }), lost: fc.array(fc.nat(3), { maxLength: 3 }) })
  fc.assert(
    fc.property(fc.array(lost, { maxLength: 5 }), (all) => {
      const joiner = createFrameJoiner(2 ** 20)
      const frames = all.map((one, fill) => toFrame({ sender: 'a'.repeat(16), size: one.size, fill }))
      const joined: Buffer[] = []
      const whole: Buffer[] = []
      for (const [number, frame] of frames.entries()) {
        const parts = splitFrame(frame, 'a'.repeat(16), number)
        const arrived = parts.filter((_, index) => !all[number]!.lost.includes(index))
        if (arrived.length === parts.length) whole.push(frame)
        for (const part of arrived) joined.push(...[joiner.take(part)].filter((one) => one !== undefined))
      }
      expect(joined).toEqual(whole)
    }),
  )
})

test('what is no part, or of a frame that is too large, is refused', () => {
  const joiner = createFrameJoiner(3 * partBytesMax)
  const sender = 'a'.repeat(16)
  for (const text of ['', 'short', `${sender}hello`, `${sender}1.0.`, `${sender}1.0.9.aaaa`]) {
    expect(() => joiner.take(text)).toThrow(RangeError)
  }
})

test('frames that many begin and nobody ends take a bounded memory', () => {
  const joiner = createFrameJoiner(2 * partBytesMax)
  const frame = Buffer.alloc(2 * partBytesMax, 'x')
  const name = (n: number): string => String(n).padStart(16, '0')
  const parts = Array.from({ length: 100 }, (_, n) => splitFrame(frame, name(n), 1))
  for (const [first] of parts) joiner.take(first!)
  const whole = parts.filter(([, second]) => joiner.take(second!) !== undefined)
  expect(whole.length).toBeGreaterThan(1)
  expect(whole.length).toBeLessThan(30)
})
