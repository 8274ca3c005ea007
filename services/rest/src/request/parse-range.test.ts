import { describe, expect, it } from 'vitest'
import { parseRange } from './parse-range.ts'

describe('the Range header', () => {
  it.each([
    ['0-9', { first: 0, last: 9 }],
    ['5-', { first: 5 }],
    ['9-0', { first: 9, last: 0 }],
    ['99999999999999999999-', { first: Number.MAX_SAFE_INTEGER }],
    ['bytes=0-9', undefined],
    ['-5', undefined],
    [undefined, undefined],
  ])('%s', (header, range) => {
    expect(parseRange(header)).toEqual(range)
  })
})
