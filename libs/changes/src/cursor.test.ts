import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isCursor, toCursor } from './cursor.ts'

const lsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

test('the order of cursors as texts is the order of the log', () => {
  const place = fc.record({ lsn, index: fc.nat({ max: 999_999 }) })
  fc.assert(
    fc.property(place, place, (one, other) => {
      const [first, second] = [toCursor(one.lsn, one.index), toCursor(other.lsn, other.index)]
      expect(isCursor(first)).toBe(true)
      const isBefore = one.lsn < other.lsn || (one.lsn === other.lsn && one.index < other.index)
      expect(first < second).toBe(isBefore)
    }),
  )
})
