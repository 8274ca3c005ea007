import { expect, test } from 'vitest'
import { depthMax, isTooDeep } from './depth.ts'

const nest = (depth: number, inner: string): Buffer =>
  Buffer.from('[{"a":'.repeat(depth / 2) + inner + '}]'.repeat(depth / 2))

test.each(['1', '"[[[[{{{{"', '"\\\\"', '"\\"[[["', '"]]]]", "b": []'])(
  'brackets are counted, not those in texts: %s',
  (inner) => {
    const isListInside = inner.endsWith('[]')
    expect(isTooDeep(nest(depthMax, inner))).toBe(isListInside)
    expect(isTooDeep(nest(depthMax + 2, inner))).toBe(true)
    expect(isTooDeep(nest(depthMax - 2, inner))).toBe(false)
  },
)

test('lists beside each other are not deep', () => {
  expect(isTooDeep(Buffer.from(`[${'[],'.repeat(10 * depthMax)}[]]`))).toBe(false)
})
