import type { MediaHandler } from '@pando/catalogue/catalogue'
import { emptyCatalogue } from '@pando/catalogue/testing/empty-catalogue'
import { expect, it } from 'vitest'
import { parseAccept } from '../request/media-type.ts'
import { chooseMedia } from './choose-media.ts'
import type { Media, Produced } from './choose-media.ts'
import { libraryConfig } from './testing/library-config.ts'

const lines = { schema: 'api', name: 'lines' }
const draw = { schema: 'api', name: 'draw' }
const handler = (mediaType: string, facts: Partial<MediaHandler> = {}): MediaHandler => {
  return { mediaType, routine: { schema: 'api', name: `make ${mediaType}` }, kind: 'aggregate', ...facts }
}

function choose(accept: string, handlers: MediaHandler[] = [], produced: Partial<Produced> = {}): Media {
  const catalogue = { ...emptyCatalogue, mediaHandlers: handlers }
  const all = { catalogue, config: libraryConfig, relation: lines, wholeRows: true, ...produced }
  return chooseMedia(parseAccept(accept), all)
}

it.each([
  ['', 'application/json; charset=utf-8'],
  ['*/*', 'application/json; charset=utf-8'],
  ['text/plain, application/json;q=0.5', 'application/json; charset=utf-8'],
  ['text/csv', 'text/csv; charset=utf-8'],
  ['application/vnd.pgrst.object', 'application/vnd.pgrst.object+json; charset=utf-8'],
  [
    'application/vnd.pgrst.object+json;nulls=stripped',
    'application/vnd.pgrst.object+json; nulls=stripped; charset=utf-8',
  ],
  [
    'application/vnd.pgrst.array+json;nulls=stripped',
    'application/vnd.pgrst.array+json; nulls=stripped; charset=utf-8',
  ],
  ['application/vnd.pgrst.array+json', 'application/json; charset=utf-8'],
  ['application/vnd.pgrst.plan', 'application/vnd.pgrst.plan+text; for="application/json"; charset=utf-8'],
  [
    'application/vnd.pgrst.plan+json; for="application/vnd.pgrst.object"; options=analyze|nonsense',
    'application/vnd.pgrst.plan+json; for="application/vnd.pgrst.object+json"; options=analyze; charset=utf-8',
  ],
])('%s is answered with %s', (accept, contentType) => {
  expect(choose(accept).contentType).toBe(contentType)
})

it('a handler for the rows of the relation overrides, but only for whole rows', () => {
  const handlers = [handler('text/csv', { relation: lines })]
  expect(choose('text/csv', handlers).format.kind).toBe('aggregate')
  expect(choose('text/csv', handlers, { wholeRows: false }).format.kind).toBe('csv')
  expect(choose('text/csv', handlers, { relation: { schema: 'api', name: 'other' } }).format.kind).toBe('csv')
})

it('a handler for any rows takes whatever is selected, its own relation first', () => {
  const handlers = [handler('app/x'), handler('app/x', { relation: lines, routine: draw })]
  expect(choose('app/x', handlers, { wholeRows: false }).format).toMatchObject({ row: undefined })
  expect(choose('app/x', handlers).format).toMatchObject({ routine: draw, row: lines })
})

it('a handler of everything answers to everything but the vendor types', () => {
  const handlers = [handler('*/*', { relation: lines, isBinary: true })]
  expect(choose('any/thing', handlers)).toMatchObject({ contentType: 'application/octet-stream', isBinary: true })
  expect(choose('application/vnd.pgrst.object', handlers).format.kind).toBe('json')
})

it('a function that returns the media type makes it', () => {
  const handlers = [handler('image/png', { kind: 'function', routine: draw })]
  expect(choose('image/png', handlers, { routine: draw }).format.kind).toBe('raw')
  expect(() => choose('image/png', handlers)).toThrow(expect.objectContaining({ code: 'PGRST107' }))
})

it('GeoJSON is there where PostGIS is', () => {
  const geoJson = { schema: 'gis', name: 'st_asgeojson' }
  expect(choose('application/geo+json', [], { catalogue: { ...emptyCatalogue, geoJson } })).toEqual({
    format: { kind: 'geojson', routine: geoJson },
    contentType: 'application/geo+json; charset=utf-8',
  })
  expect(() => choose('application/geo+json')).toThrow(expect.objectContaining({ code: 'PGRST107' }))
})

it('names what nobody can make', () => {
  expect(() => choose('unknown/unknown')).toThrow('None of these media types are available: unknown/unknown')
})
