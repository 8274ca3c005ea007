import { expect, it } from 'vitest'
import { parseRequest } from '../request/parse-request.ts'
import type { ApiRequest } from '../request/api-request.ts'
import { pageClass, pageKey } from './page-class.ts'
import { libraryConfig } from './testing/library-config.ts'

function get(rawQuery: string, range?: string): ApiRequest {
  const header = (name: string): string | undefined => (name === 'range' ? range : undefined)
  return parseRequest({ method: 'GET', path: '/books', rawQuery, header }, libraryConfig)
}

it.each([
  ['', undefined, undefined, { kind: 'all' }],
  ['', undefined, 1000, { kind: 'max', rows: 1000 }],
  ['limit=1000', undefined, 1000, { kind: 'max', rows: 1000 }],
  ['limit=20', undefined, 1000, { kind: 'first', rows: 32 }],
  ['limit=2', undefined, undefined, { kind: 'first', rows: 16 }],
  ['limit=20&offset=40', undefined, undefined, { kind: 'slice', rows: 64 }],
  ['limit=0', undefined, undefined, { kind: 'slice', rows: 16 }],
  ['offset=3', undefined, undefined, { kind: 'from' }],
  ['', '0-19', undefined, { kind: 'first', rows: 32 }],
  ['', '5-', 10, { kind: 'slice', rows: 16 }],
] as const)('%s with Range %s and max-rows %s is of class %o', (query, range, maxRows, expected) => {
  expect(pageClass(get(query, range), { ...libraryConfig, maxRows })).toEqual(expected)
})

it('pages of one magnitude share a key, others do not', () => {
  const key = (query: string): string => pageKey(get(query), libraryConfig)
  expect(key('limit=20')).toBe(key('limit=30'))
  expect(key('limit=20')).not.toBe(key('limit=200'))
  expect(key('select=reviews()&reviews.limit=20')).toBe(key('select=reviews()&reviews.limit=21'))
  expect(key('select=reviews()&reviews.limit=2')).not.toBe(key('select=reviews()&reviews.limit=200'))
})
