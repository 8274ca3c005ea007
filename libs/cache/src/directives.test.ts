import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDirectives } from './directives.ts'

test.each([
  [undefined, undefined, false, false],
  ['max-age=60', 60_000, false, false],
  ['Max-Age="60", no-transform', 60_000, false, false],
  ['max-age=0', 0, true, false],
  ['no-cache', undefined, true, false],
  ['no-store, no-cache', undefined, true, true],
  ['max-age=-1', undefined, false, false],
  ['max-age=soon, only-if-cached', undefined, false, false],
])('%s', (header, maxAgeMs, noCache, noStore) => {
  expect(parseDirectives(header)).toEqual({ maxAgeMs, noCache, noStore })
})

test('no text is refused', () => {
  fc.assert(
    fc.property(fc.string(), (header) => {
      expect(parseDirectives(header).noStore).toBe(/(?:^|,)\s*no-store\s*(?:,|$)/i.test(header))
    }),
  )
})
