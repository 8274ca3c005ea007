import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createKeptMessages } from './kept-messages.ts'
import { createSequence } from './sequence.ts'

test('whatever the order and however often they come, messages pass once and in order', () => {
  const arrivals = fc
    .nat({ max: 30 })
    .chain((count) => fc.tuple(fc.constant(count), fc.array(fc.integer({ min: 1, max: Math.max(1, count) }))))
  fc.assert(
    fc.property(arrivals, fc.nat(60), ([count, numbers], heldBytesMax) => {
      const passed: number[] = []
      const sequence = createSequence<number>(0, heldBytesMax, (number) => passed.push(number))
      for (const number of numbers) sequence.take(number, number, 10)
      sequence.heard(count)
      // What is missing is asked for until nothing is.
      for (let missing = sequence.missing; missing !== undefined; missing = sequence.missing) {
        for (let number = missing; number <= count; number++) sequence.take(number, number, 10)
      }
      expect(passed).toEqual(Array.from({ length: Math.max(count, ...numbers, 0) }, (_, index) => index + 1))
      for (const number of numbers) expect(sequence.take(number, number, 10)).toBe(false)
    }),
  )
})

test('what the sender has forgotten is left out and told, and what came out of order passes', () => {
  const passed: number[] = []
  const sequence = createSequence<number>(10, 1000, (number) => passed.push(number))
  for (const number of [11, 13, 16]) sequence.take(number, number, 1)
  expect(sequence.missing).toBe(12)
  expect(sequence.skipTo(12)).toBe(false)
  expect(sequence.skipTo(15)).toBe(true)
  expect([passed, sequence.missing]).toEqual([[11, 13], 15])
  sequence.take(15, 15, 1)
  expect([passed, sequence.missing]).toEqual([[11, 13, 15, 16], undefined])
  expect(sequence.skipTo(3)).toBe(false)
})

test('the newest messages are kept, as long and as many as they may', () => {
  const kept = createKeptMessages({ keepMs: 100, bytesMax: 100, repeatBytesMax: 30, repeatPauseMs: 10 })
  const repeat = (from: number, nowMs: number): number[] => {
    const sent: number[] = []
    kept.repeat(from, nowMs, (frame) => sent.push(frame[0]!))
    return sent
  }
  expect(kept.first).toBe(undefined)
  for (let number = 7; number < 20; number++) kept.add(number, Buffer.alloc(10, number), number)
  expect(kept.first).toBe(10)
  expect(repeat(1, 20)).toEqual([10, 11, 12])
  // Others have just asked for the same.
  expect(repeat(11, 25)).toEqual([13])
  expect(repeat(11, 40)).toEqual([11, 12, 13])
  expect(repeat(19, 40)).toEqual([19])
  expect(repeat(20, 40)).toEqual([])
  kept.expire(115)
  expect(kept.first).toBe(15)
  kept.renew(200)
  kept.expire(300)
  expect(kept.first).toBe(15)
  kept.expire(1000)
  expect(kept.first).toBe(undefined)
})
