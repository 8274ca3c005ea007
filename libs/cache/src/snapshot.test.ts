import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLongOver, isVisible, laterXid, parseSnapshot } from './snapshot.ts'

const short = (id: bigint): number => Number(BigInt.asUintN(32, id))

test('the form of Postgres is read, and no other', () => {
  expect(parseSnapshot('10:20:10,14,15')).toMatchObject({ xmin: 10n, xmax: 20n, running: new Set([10n, 14n, 15n]) })
  expect(parseSnapshot('10:10:')).toMatchObject({ xmin: 10n, xmax: 10n, running: new Set() })
  for (const text of ['', '10:20', '10:20:,', 'a:b:c', '10:20:10,']) expect(parseSnapshot(text)).toBeUndefined()
})

test('a transaction is visible when it had ended, across the end of the numbers of 32 bits', () => {
  const near = fc.bigInt({ min: 2n ** 33n - 500n, max: 2n ** 33n + 500n })
  const some = fc.tuple(
    fc.nat(200),
    fc.nat(200),
    fc.uniqueArray(fc.nat(199), { maxLength: 10 }),
    fc.integer({ min: -300, max: 300 }),
  )
  fc.assert(
    fc.property(near, some, (xmin, [, span, offsets, distance]) => {
      const xmax = xmin + BigInt(span)
      const running = offsets.map((offset) => xmin + BigInt(offset)).filter((id) => id < xmax)
      const snapshot = parseSnapshot(`${xmin}:${xmax}:${running.join()}`)!
      const id = xmin + BigInt(distance)
      expect(isVisible(snapshot, short(id))).toBe(id < xmax && !running.includes(id))
      expect(isLongOver(snapshot, short(id))).toBe(id < xmin)
    }),
  )
})

test('of two numbers the later one is told across their end', () => {
  expect(laterXid(5, 3)).toBe(5)
  expect(laterXid(3, 2 ** 32 - 3)).toBe(3)
  expect(laterXid(2 ** 32 - 3, 3)).toBe(3)
})
