import { describe, expect, it } from 'vitest'
import { parseAccept, parseContentType } from './media-type.ts'

const type = (essence: string, parameters = {}) => ({ essence, parameters })

describe('a media type', () => {
  it.each([
    [undefined, type('application/json')],
    ['application/json; charset=utf-8', type('application/json')],
    ['Text/CSV', type('text/csv')],
    ['application/vnd.pgrst.object', type('application/vnd.pgrst.object+json')],
    [
      'ApplicatIon/vnd.PgRsT.object+json;NULLS=stripped',
      type('application/vnd.pgrst.object+json', { nulls: 'stripped' }),
    ],
    ['application/vnd.pgrst.array+json', type('application/json')],
    ['application/vnd.pgrst.array;nulls=stripped', type('application/vnd.pgrst.array+json', { nulls: 'stripped' })],
    ['application/vnd.pgrst.plan;', type('application/vnd.pgrst.plan+text', { for: 'application/json' })],
    [
      'application/vnd.pgrst.plan+json ; for="application/vnd.pgrst.object;nulls=stripped" ; options=analyze|verbose',
      type('application/vnd.pgrst.plan+json', {
        for: 'application/vnd.pgrst.object;nulls=stripped',
        options: 'analyze|verbose',
      }),
    ],
    ['application/vnd.twkb', type('application/vnd.twkb')],
    ['__proto__', type('__proto__')],
  ])('%s', (header, expected) => {
    expect(parseContentType(header)).toEqual(expected)
  })
})

describe('Accept', () => {
  it.each([
    [undefined, []],
    ['*/*', []],
    ['text/csv;q=0.5, application/json', ['application/json', 'text/csv']],
    ['*/*, application/json', ['application/json', '*/*']],
    ['text/html,application/xml;q=0.9,*/*;q=0.8', ['text/html', 'application/xml', '*/*']],
    ['text/csv;q=0, text/xml', ['text/xml']],
    ['application/vnd.pgrst.plan;for="a/b,c", text/csv', ['application/vnd.pgrst.plan+text', 'text/csv']],
  ])('%s puts the best first', (header, expected) => {
    expect(parseAccept(header).map(({ essence }) => essence)).toEqual(expected)
  })
})
