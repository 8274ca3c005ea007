import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApi, type Api } from './testing/start-api.ts'

let api: Api
beforeAll(async () => {
  api = await startApi({ environment: { PANDO_REST_AGGREGATES_ENABLED: 'true' } })
})
afterAll(() => api.stop())

async function get(path: string): Promise<unknown> {
  const { status, body } = await api.ask(path)
  expect({ status, body }).toMatchObject({ status: 200 })
  return body
}

describe('spreads', () => {
  it('of one: its columns move up', async () => {
    expect(await get('/ships?select=name,...captains(captain:name,rating)&id=in.(1,4)&order=id')).toEqual([
      { name: 'Albatross', captain: 'Ines Roth', rating: 9.5 },
      { name: 'Dune', captain: null, rating: null },
    ])
  })

  it('of many: its columns become lists in one order', async () => {
    expect(await get('/captains?select=name,...ships(ships:name,tons:tonnage)&id=eq.2&ships.order=name.desc')).toEqual([
      { name: 'Tomas Berg', ships: ['Cormorant', 'Bluebell'], tons: [1200, 80] },
    ])
  })

  it('of a join table', async () => {
    expect(await get('/ships?select=name,crew:crews(duty,...sailors(name))&id=eq.1&crew.order=duty')).toEqual([
      {
        name: 'Albatross',
        crew: [
          { duty: 'cook', name: 'Abe' },
          { duty: 'mate', name: 'Bea' },
        ],
      },
    ])
  })

  it('inside each other', async () => {
    expect(
      await get(
        '/captains?select=name,...ships(names:name,...registrations(numbers:number),...voyages(goals:destination))&id=eq.2&ships.order=id&ships.voyages.order=id',
      ),
    ).toEqual([
      {
        name: 'Tomas Berg',
        names: ['Bluebell', 'Cormorant'],
        numbers: [null, 'R-003'],
        goals: [['NLRTM'], ['DEHAM', 'DEHAM']],
      },
    ])
  })
})

describe('aggregates', () => {
  it('of all rows, of groups, with casts and aliases', async () => {
    expect(await get('/ships?select=tonnage.sum(),tonnage.max(),tonnage.min(),tonnage.avg()::int,count()')).toEqual([
      { sum: 6480, max: 5200, min: 80, avg: 2160, count: 4 },
    ])
    expect(await get('/ships?select=hull,ships:count(),tons:tonnage.sum()&order=hull')).toEqual([
      { hull: 'wood', ships: 1, tons: 80 },
      { hull: 'iron', ships: 1, tons: 1200 },
      { hull: 'steel', ships: 2, tons: 5200 },
    ])
    expect(await get('/ships?select=details->engine->power::int.sum()')).toEqual([{ sum: 1200 }])
    expect(await get('/ships?select=count&hull=eq.steel')).toEqual([{ count: 2 }])
  })

  it('of what is embedded, and grouped by what is embedded', async () => {
    expect(await get('/ships?select=name,voyages(cargo_tons.sum(),count())&id=eq.1')).toEqual([
      { name: 'Albatross', voyages: [{ sum: 8000.5, count: 2 }] },
    ])
    expect(await get('/captains?select=id,ships(count)&id=eq.2')).toEqual([{ id: 2, ships: [{ count: 2 }] }])
    expect(
      await get(
        '/ships?select=captain_id,tonnage.sum(),...captains(captain:name)&captain_id=not.is.null&order=captain_id',
      ),
    ).toEqual([
      { captain_id: 1, sum: 5200, captain: 'Ines Roth' },
      { captain_id: 2, sum: 1280, captain: 'Tomas Berg' },
    ])
    expect(await get('/voyages?select=destination,...ships(tonnage.max())&order=destination')).toEqual([
      { destination: 'DEHAM', max: 1200 },
      { destination: 'NLRTM', max: 5200 },
      { destination: 'SGSIN', max: 5200 },
    ])
  })

  it('are not implemented in the spread of a to-many resource', async () => {
    const { status, body } = await api.ask('/captains?select=name,...ships(tonnage.sum())')
    expect([status, body]).toMatchObject([400, { code: 'PGRST127', message: 'Feature not implemented' }])
  })
})
