import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeKept, encodeKept } from './encode-kept.ts'
import { toTag } from './page.ts'
import { createSeal } from './seal.ts'
import { parseSnapshot } from './snapshot.ts'

const page = fc.record({
  total: fc.option(fc.nat(), { nil: undefined }),
  pageRows: fc.nat(),
  body: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
})
const snapshot = fc.tuple(fc.nat(), fc.nat()).map(([from, span]) => parseSnapshot(`${from}:${from + span}:`)!)
const kept = fc.record({
  page,
  tag: fc.string(),
  snapshot,
  schema: snapshot,
  tables: fc.array(fc.nat()),
  madeAtMs: fc.nat(),
  lsn: fc.bigInt({ min: 0n, max: 2n ** 64n }),
})

test('a page comes out as it went in, sealed for its name alone', () => {
  const [ours, theirs] = [createSeal('a secret'), createSeal('another secret')]
  fc.assert(
    fc.property(kept, fc.string(), (one, key) => {
      const name = ours.nameOf(key)
      const sealed = ours.seal(encodeKept(one), name)
      expect(decodeKept(ours.open(sealed, name))).toEqual(one)
      const notOurs = 'unable to authenticate'
      expect(() => ours.open(sealed, ours.nameOf(`${key} `))).toThrow(notOurs)
      expect(() => theirs.open(sealed, name)).toThrow(notOurs)
      expect(() => ours.open(sealed.subarray(0, -1), name)).toThrow(notOurs)
    }),
  )
})

test('pages differ in their tags when their bodies or counts do', () => {
  const pages = [
    { pageRows: 1, body: 'a' },
    { pageRows: 1, body: 'b' },
    { pageRows: 1, total: 1, body: 'a' },
    { pageRows: 0 },
  ]
  expect(new Set(pages.map(toTag)).size).toBe(pages.length)
  expect(toTag({ pageRows: 1, body: Buffer.from('a') })).toBe(toTag(pages[0]!))
})
