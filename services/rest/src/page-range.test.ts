import { expect, test } from 'vitest'
import type { ApiRequest } from './request/api-request.ts'
import { toPageRange } from './page-range.ts'

function request(limit: string | undefined, offset: string | undefined, range?: ApiRequest['range']): ApiRequest {
  const values = [limit ?? '', offset ?? '']
  const at = (slot: number, text: string | undefined) => (text === undefined ? [] : [{ path: [], slot }])
  return { query: { values, limits: at(0, limit), offsets: at(1, offset) }, range } as unknown as ApiRequest
}

test.each([
  ['nothing asks for everything', request(undefined, undefined), undefined, { offset: 0 }],
  ['max-rows cuts', request(undefined, undefined), 100, { offset: 0, limit: 100 }],
  ['limit and offset', request('10', '20'), 100, { offset: 20, limit: 10 }],
  ['max-rows cuts a larger limit', request('500', '20'), 100, { offset: 20, limit: 100 }],
  ['the Range header', request(undefined, undefined, { first: 5, last: 9 }), undefined, { offset: 5, limit: 5 }],
  ['an open Range header', request(undefined, undefined, { first: 5 }), undefined, { offset: 5 }],
  ['header and parameters intersect', request('10', '0', { first: 5, last: 20 }), undefined, { offset: 5, limit: 5 }],
  ['limit=0 asks for no rows', request('0', '7'), 100, { offset: 0, limit: 0 }],
])('%s', (_, asked, maxRows, expected) => {
  expect(toPageRange(asked, maxRows)).toEqual(expected)
})

test('a negative limit and an empty intersection are refused with PGRST103', () => {
  expect(() => toPageRange(request('-1', undefined), undefined)).toThrow(expect.objectContaining({ code: 'PGRST103' }))
  expect(() => toPageRange(request('2', '0', { first: 5, last: 9 }), undefined)).toThrow(
    expect.objectContaining({ code: 'PGRST103' }),
  )
})
