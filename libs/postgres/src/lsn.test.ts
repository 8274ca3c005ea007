import fc from 'fast-check'
import { expect, test } from 'vitest'
import { beyondEveryLsn, laterLsn, mustParseLsn, parseLsn, printLsn } from './lsn.ts'

test('what is printed is read as it was', () => {
  const anyLsn = fc.bigInt({ min: 0n, max: beyondEveryLsn - 1n })
  fc.assert(
    fc.property(anyLsn, (lsn) => {
      expect(parseLsn(printLsn(lsn))).toBe(lsn)
    }),
  )
})

test('places are compared as numbers, not as texts', () => {
  expect(parseLsn('9/0')).toBeLessThan(parseLsn('A0/0')!)
  expect(printLsn(laterLsn(parseLsn('0/ff')!, parseLsn('1/0')!))).toBe('1/0')
})

test.each(['', '0', '0/', '/0', '0/0/0', '-1/0', '0/123456789', '123456789/0', '0/g', ' 0/0', '0/0\n'])(
  '%j is no place',
  (text) => {
    expect(parseLsn(text)).toBeUndefined()
    expect(() => mustParseLsn(text)).toThrow('expected one like 0/16B3748')
  },
)
