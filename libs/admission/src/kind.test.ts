import { expect, it } from 'vitest'
import { createKinds } from './kind.ts'

it('a kind is slow when most of late were, and no longer when most were not', () => {
  const kind = createKinds(1).of('GET reports')
  const told = [true, true, true, false, true, false, false].map((wasSlow) => {
    kind.tell(wasSlow)
    return kind.isSlow
  })
  expect(told).toEqual([false, false, true, false, true, false, false])
})

it('when there are as many kinds as may be known apart, all further ones are one', () => {
  const kinds = createKinds(2)
  const [first, second, third, fourth] = ['a', 'b', 'c', 'd'].map((name) => kinds.of(name))
  expect(kinds.of('a')).toBe(first)
  expect([second === first, third === second, fourth === third, kinds.size]).toEqual([false, false, true, 2])
})
