import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSeal } from './seal.ts'

const secret = 'a secret of this deployment'
const refused = /unable to authenticate|too short/
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))

test('who has the secret reads what was sealed, and sees whose it is', () => {
  const [a, b, other] = [createSeal(secret, 'a'), createSeal(secret, 'b'), createSeal('another', 'b')]
  fc.assert(
    fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (frame, place, flip) => {
      const sealed = a.seal(frame)
      expect(b.open(sealed, 'a')).toEqual(frame)
      expect(() => b.open(sealed, 'b')).toThrow(refused)
      expect(() => other.open(sealed, 'a')).toThrow(refused)
      const forged = Buffer.from(sealed)
      forged[place % forged.length]! ^= flip
      expect(() => b.open(forged, 'a')).toThrow(refused)
    }),
  )
})

test('the same frame is never sealed the same', () => {
  const a = createSeal(secret, 'a')
  const sealed = Array.from({ length: 100 }, () => a.seal(Buffer.from('hello')).toString('hex'))
  expect(new Set(sealed).size).toBe(100)
})

test('anything else is refused', () => {
  const a = createSeal(secret, 'a')
  fc.assert(
    fc.property(bytes, (any) => {
      expect(() => a.open(any, 'b')).toThrow(refused)
    }),
  )
})
