import { createDatabase } from '@pando/postgres/database'
import { getCluster } from '@pando/postgres/testing/database'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startApi, type Api, type Asked } from './testing/start-api.ts'

/** The embedded PostgreSQL has no PostGIS: these run where `PANDO_TEST_DATABASE_URL` names a server that has it. */
const hasPostgis = await serverHasPostgis()

async function serverHasPostgis(): Promise<boolean> {
  const { url } = await getCluster()
  const database = createDatabase({ url, applicationName: 'test', connectionsMax: 1 })
  const rows = await database.query("select 1 from pg_available_extensions where name = 'postgis'")
  await database.close()
  return rows.length > 0
}

const coast = `
  create table lighthouses (
    id int primary key,
    name text not null,
    place extensions.geometry(point, 4326) not null,
    seen extensions.geometry(polygon, 4326)
  );
  insert into lighthouses (id, name, place) values
    (1, 'Roter Sand', 'srid=4326;point(8.08 53.85)'),
    (2, 'Alte Weser', 'srid=4326;point(8.13 53.86)');
  create table keepers (id int primary key, name text, lighthouse_id int references lighthouses, home extensions.geography(point));
  insert into keepers values (1, 'Ada', 1, 'point(8.5 53.5)'), (2, 'Ben', 1, null);
  create table logs (id int primary key, text text);
  insert into logs values (1, 'fog');
  create function nearest(longitude float8, latitude float8) returns setof lighthouses language sql stable as
    'select * from lighthouses order by place <-> st_setsrid(st_point(longitude, latitude), 4326) limit 1';
  create function lighthouse(number int) returns lighthouses language sql stable as 'select * from lighthouses where id = number';
  create function middle() returns extensions.geometry language sql stable as 'select st_centroid(st_collect(place)) from lighthouses';
  create function reach(area extensions.geometry) returns float8 language sql immutable as 'select st_area(area)';`

const point = (longitude: number, latitude: number) => ({ type: 'Point', coordinates: [longitude, latitude] })
const feature = (geometry: unknown, properties: object) => ({ type: 'Feature', geometry, properties })
const collection = (...features: object[]) => ({ type: 'FeatureCollection', features })
const roterSand = point(8.08, 53.85)

describe.runIf(hasPostgis)('GeoJSON', () => {
  let api: Api
  beforeAll(async () => {
    api = await startApi({ sql: '' })
    await api.database.run(`create extension postgis schema extensions; set role postgres; ${coast}; reset role`)
    await vi.waitUntil(() => api.ask('/lighthouses').then(({ status }) => status === 200))
  })
  afterAll(() => api.stop())

  const ask = (path: string, { headers, ...asked }: Asked = {}) =>
    api.ask(path, { ...asked, headers: { Accept: 'application/geo+json', ...headers } })

  /** A change that is answered with its rows and undone. */
  const change = (method: string, path: string, body?: unknown) =>
    ask(path, { method, body, headers: { Prefer: 'return=representation' } })

  it('rows are features, columns beside the geometry their properties', async () => {
    const { status, headers, body } = await ask('/lighthouses?select=id,name,place&id=eq.1')
    expect([status, headers.get('content-type')]).toEqual([200, 'application/geo+json; charset=utf-8'])
    expect(body).toEqual(collection(feature(roterSand, { id: 1, name: 'Roter Sand' })))
  })

  it('the official client reads them', async () => {
    const { data, error } = await api.client().from('lighthouses').select('id,place').order('id').geojson()
    expect(error).toBeNull()
    expect(data).toEqual(collection(feature(roterSand, { id: 1 }), feature(point(8.13, 53.86), { id: 2 })))
  })

  it('no rows are no features, and pages and counts are as always', async () => {
    expect((await ask('/lighthouses?id=gt.9')).body).toEqual(collection())
    const { status, headers, body } = await ask('/lighthouses?select=place&order=id&limit=1', {
      headers: { Prefer: 'count=exact' },
    })
    expect([status, headers.get('content-range')]).toEqual([206, '0-0/2'])
    expect(body).toEqual(collection(feature(roterSand, {})))
    expect((await ask('/lighthouses', { method: 'HEAD' })).text).toBe('')
  })

  it('the first geometry that is selected is the one of the feature; it may have an alias and be geography', async () => {
    const { body } = await ask('/lighthouses?select=where:place,id&id=eq.1')
    expect(body).toEqual(collection(feature(roterSand, { id: 1 })))
    expect((await ask('/keepers?select=home&id=eq.1')).body).toEqual(collection(feature(point(8.5, 53.5), {})))
  })

  it('what is embedded is a property', async () => {
    const { body } = await ask('/lighthouses?select=place,keepers(name,home)&keepers.id=eq.1&id=eq.1')
    expect(body).toEqual(collection(feature(roterSand, { keepers: [{ name: 'Ada', home: expect.anything() }] })))
  })

  it('functions answer with features: a set of rows, one row, one geometry', async () => {
    const nearest = collection(feature(roterSand, { name: 'Roter Sand' }))
    expect((await ask('/rpc/nearest?longitude=8&latitude=53&select=name,place')).body).toEqual(nearest)
    const sent = { method: 'POST', body: { longitude: 8, latitude: 53 } }
    expect((await ask('/rpc/nearest?select=name,place', sent)).body).toEqual(nearest)
    expect((await ask('/rpc/lighthouse?number=1&select=name,place')).body).toEqual(nearest)
    expect((await ask('/rpc/middle')).body).toEqual(collection(feature(point(8.105, 53.855), {})))
    const { data } = await api.client().rpc('nearest', { longitude: 8, latitude: 53 }).select('name,place').geojson()
    expect(data).toEqual(nearest)
  })

  it('changes answer with the features that they made', async () => {
    const select = 'select=id,name,place'
    const inserted = await change('POST', `/lighthouses?${select}`, {
      id: 3,
      name: 'Neu',
      place: 'srid=4326;point(1 2)',
    })
    expect([inserted.status, inserted.body]).toEqual([201, collection(feature(point(1, 2), { id: 3, name: 'Neu' }))])
    const put = await change('PUT', `/lighthouses?${select}&id=eq.3`, {
      id: 3,
      name: 'Put',
      place: 'srid=4326;point(3 4)',
    })
    expect([put.status, put.body]).toEqual([200, collection(feature(point(3, 4), { id: 3, name: 'Put' }))])
    const patched = await change('PATCH', `/lighthouses?${select}&id=eq.3`, { name: 'Patched' })
    expect(patched.body).toEqual(collection(feature(point(3, 4), { id: 3, name: 'Patched' })))
    const gone = await change('DELETE', `/lighthouses?${select}&id=eq.3`)
    expect(gone.body).toEqual(collection(feature(point(3, 4), { id: 3, name: 'Patched' })))
  })

  it('as JSON a geometry is an object, and one may be sent back', async () => {
    const client = api.client()
    const { data } = await client.from('lighthouses').select('place').eq('id', 1).single()
    expect(data?.place).toMatchObject(roterSand)
    const area = { type: 'Polygon', coordinates: [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]] } // prettier-ignore
    const { error } = await client.from('lighthouses').update({ seen: area, place: data?.place }).eq('id', 1)
    expect(error).toBeNull()
    const { body } = await ask('/lighthouses?select=seen&id=eq.1')
    expect(body).toEqual(collection(feature(area, {})))
    expect((await client.rpc('reach', { area })).data).toBe(4)
  })

  it('rows without a geometry are refused by PostGIS', async () => {
    const { status, body } = await ask('/logs')
    expect([status, body]).toMatchObject([400, { code: '22023', message: 'geometry column is missing' }])
  })

  it('PostGIS is found in whatever schema it is', async () => {
    const other = await startApi({ sql: '' })
    await other.database
      .run(`create schema gis; create extension postgis schema gis; grant usage on schema gis to public;
      create table public.spots (place gis.geometry); insert into public.spots values ('point(1 2)');
      grant select on public.spots to anon`)
    const headers = { Accept: 'application/geo+json' }
    await expect
      .poll(() => other.ask('/spots', { headers }).then(({ body }) => body))
      .toEqual(collection(feature(point(1, 2), {})))
    await other.stop()
  })
})

it('without PostGIS no resource has the media type', async () => {
  const api = await startApi({ sql: 'create table public.spots (place point)' })
  const { status, body } = await api.ask('/spots', { headers: { Accept: 'application/geo+json' } })
  expect([status, body]).toMatchObject([406, { code: 'PGRST107' }])
  await api.stop()
})
