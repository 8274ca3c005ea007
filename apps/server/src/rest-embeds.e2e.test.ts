import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApi, type Api } from './testing/start-api.ts'

let api: Api
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.stop())

/** What a client gets for a `select` of a table, by id. */
async function select(table: string, columns: string, order = 'id'): Promise<unknown> {
  const { data, error } = await api.client().from(table).select(columns).order(order)
  expect(error).toBeNull()
  return data
}

async function get(path: string): Promise<unknown> {
  const { status, body } = await api.ask(path)
  expect({ status, body }).toMatchObject({ status: 200 })
  return body
}

describe('kinds of relationships', () => {
  it('many to one gives an object or null', async () => {
    expect(await select('ships', 'name,captains(name)')).toEqual([
      { name: 'Albatross', captains: { name: 'Ines Roth' } },
      { name: 'Bluebell', captains: { name: 'Tomas Berg' } },
      { name: 'Cormorant', captains: { name: 'Tomas Berg' } },
      { name: 'Dune', captains: null },
    ])
  })

  it('one to many gives a list, empty when there is none', async () => {
    expect(await get('/captains?select=name,ships(name)&id=in.(2,3)&order=id&ships.order=id')).toEqual([
      { name: 'Tomas Berg', ships: [{ name: 'Bluebell' }, { name: 'Cormorant' }] },
      { name: 'Wei Lin', ships: [] },
    ])
  })

  it('one to one gives an object from both sides', async () => {
    expect(await select('ships', 'id,registrations(number)')).toEqual([
      { id: 1, registrations: { number: 'R-001' } },
      { id: 2, registrations: null },
      { id: 3, registrations: { number: 'R-003' } },
      { id: 4, registrations: null },
    ])
    expect(await select('registrations', 'number,ships(name)', 'number')).toEqual([
      { number: 'R-001', ships: { name: 'Albatross' } },
      { number: 'R-003', ships: { name: 'Cormorant' } },
    ])
  })

  it('many to many leads through the join table, from both sides', async () => {
    expect(await get('/ships?select=name,sailors(name)&id=eq.1&sailors.order=name')).toEqual([
      { name: 'Albatross', sailors: [{ name: 'Abe' }, { name: 'Bea' }] },
    ])
    expect(await get('/sailors?select=name,ships(name)&id=eq.2&ships.order=id')).toEqual([
      { name: 'Bea', ships: [{ name: 'Albatross' }, { name: 'Bluebell' }] },
    ])
  })

  it('keys of several columns', async () => {
    expect(await select('moorings', 'id,berths(length_metres)')).toEqual([
      { id: 1, berths: { length_metres: 200 } },
      { id: 2, berths: { length_metres: 90 } },
    ])
    expect(await get('/berths?select=number,moorings(id)&number=eq.2')).toEqual([{ number: 2, moorings: [{ id: 2 }] }])
  })

  it('partitioned tables', async () => {
    expect(await get('/tides?select=height_metres,ports(name)&order=day,port')).toEqual([
      { height_metres: 3.1, ports: { name: 'Hamburg' } },
      { height_metres: 3.4, ports: { name: 'Hamburg' } },
      { height_metres: 1.8, ports: { name: 'Rotterdam' } },
    ])
    expect(await get('/ports?select=name,tides(height_metres)&code=eq.DEHAM&tides.order=day')).toEqual([
      { name: 'Hamburg', tides: [{ height_metres: 3.1 }, { height_metres: 3.4 }] },
    ])
  })

  it('views have the relationships of the columns they show', async () => {
    expect(await select('steel_ships', 'name,captains(name)')).toEqual([
      { name: 'Albatross', captains: { name: 'Ines Roth' } },
      { name: 'Dune', captains: null },
    ])
    expect(await get('/fleet?select=captain,voyages(id)&id=eq.1&voyages.order=id')).toEqual([
      { captain: 'Ines Roth', voyages: [{ id: 1 }, { id: 2 }] },
    ])
    expect(await get('/port_visits?select=visits,ports(name)&order=port&limit=1')).toEqual([
      { visits: 2, ports: { name: 'Hamburg' } },
    ])
  })

  it('computed relationships are functions: to one with rows 1, to many otherwise', async () => {
    expect(await get('/captains?select=name,mentor(name),pupils(name)&id=in.(1,2)&order=id&pupils.order=id')).toEqual([
      { name: 'Ines Roth', mentor: null, pupils: [{ name: 'Tomas Berg' }, { name: 'Wei Lin' }] },
      { name: 'Tomas Berg', mentor: { name: 'Ines Roth' }, pupils: [] },
    ])
  })

  it('a table that refers to itself: the column means the one side, the table the many side', async () => {
    expect(await get('/captains?select=name,mentor_of:captains!mentor_id(name)&id=eq.1&mentor_of.order=id')).toEqual([
      { name: 'Ines Roth', mentor_of: [{ name: 'Tomas Berg' }, { name: 'Wei Lin' }] },
    ])
    expect(await get('/captains?select=name,guide:mentor_id(name)&id=eq.2')).toEqual([
      { name: 'Tomas Berg', guide: { name: 'Ines Roth' } },
    ])
  })
})

describe('hints', () => {
  it('two keys to one table are ambiguous, and the answer says what to write', async () => {
    const { status, body } = await api.ask('/ships?select=name,ports(name)')
    expect([status, body]).toEqual([
      300,
      {
        code: 'PGRST201',
        message: "Could not embed because more than one relationship was found for 'ships' and 'ports'",
        details: expect.arrayContaining([
          {
            cardinality: 'many-to-one',
            embedding: 'ships with ports',
            relationship: 'ships_home_fkey using ships(home) and ports(code)',
          },
          {
            cardinality: 'many-to-one',
            embedding: 'ships with ports',
            relationship: 'ships_yard_fkey using ships(yard) and ports(code)',
          },
        ]),
        hint: expect.stringMatching(
          /^Try changing 'ports' to one of the following: ('ports!\w+'(, )?)+\. Find the desired relationship in the 'details' key\.$/,
        ),
      },
    ])
  })

  it.each([
    ['constraint', 'home:ports!ships_home_fkey(name),yard:ports!ships_yard_fkey(name)'],
    ['column', 'home:ports!home(name),yard:ports!yard(name)'],
    ['constraint alone', 'home:ships_home_fkey(name),yard:ships_yard_fkey(name)'],
    ['column alone', 'home(name),yard(name)'],
  ])('by %s', async (_kind, columns) => {
    expect(await get(`/ships?select=${columns}&id=eq.1`)).toEqual([
      { home: { name: 'Hamburg' }, yard: { name: 'Rotterdam' } },
    ])
  })

  it('from the other side, and by the join table', async () => {
    expect(await get('/ports?select=name,ships!ships_home_fkey(name)&code=eq.NLRTM')).toEqual([
      { name: 'Rotterdam', ships: [{ name: 'Cormorant' }] },
    ])
    expect(await get('/ships?select=sailors!crews(name)&id=eq.3')).toEqual([{ sailors: [{ name: 'Cyd' }] }])
  })

  it('a relationship that does not exist is refused with the nearest name', async () => {
    const { status, body } = await api.ask('/ships?select=captain(name)')
    expect([status, body]).toEqual([
      400,
      {
        code: 'PGRST200',
        message: "Could not find a relationship between 'ships' and 'captain' in the schema cache",
        details:
          "Searched for a foreign key relationship between 'ships' and 'captain' in the schema 'public', but no matches were found.",
        hint: "Perhaps you meant 'captains' instead of 'captain'.",
      },
    ])
  })
})

describe('nesting and aliases', () => {
  it('goes down several levels', async () => {
    const { data } = await api
      .client()
      .from('captains')
      .select('name, ships(name, crews(duty, sailors(name)), home:ports!home(name))')
      .eq('id', 1)
      .single()
    expect(data).toEqual({
      name: 'Ines Roth',
      ships: [
        {
          name: 'Albatross',
          crews: [
            { duty: 'cook', sailors: { name: 'Abe' } },
            { duty: 'mate', sailors: { name: 'Bea' } },
          ],
          home: { name: 'Hamburg' },
        },
      ],
    })
  })

  it('one relationship may be embedded twice, with filters of its own', async () => {
    const query =
      '/ships?select=name,long:voyages(id),short:voyages(id)&long.passengers=gte.3&short.passengers=lt.3&id=eq.1'
    expect(await get(query)).toEqual([{ name: 'Albatross', long: [{ id: 1 }], short: [{ id: 2 }] }])
  })

  it('without an alias the second has the key of the first and is refused, at any depth', async () => {
    const refused = (name: string) => ({
      status: 400,
      code: '42712',
      message: `table name "${name}" specified more than once`,
    })
    const ask = async (path: string) => {
      const { status, body } = await api.ask(path)
      return { status, ...(body as object) }
    }
    expect(await ask('/ships?select=voyages(id),voyages(cargo_tons)')).toMatchObject(refused('ships_voyages_1'))
    expect(await ask('/captains?select=ships(voyages(id),voyages(id))')).toMatchObject(refused('ships_voyages_2'))
    expect(await get('/ships?select=voyages(id),...voyages(tons:cargo_tons),voyages()&id=eq.1')).toEqual([
      { voyages: [{ id: 1 }, { id: 2 }], tons: [expect.any(Number), expect.any(Number)] },
    ])
  })

  it('casts and paths work below', async () => {
    expect(await get('/captains?select=ships(id::text,engine:details->engine->>kind)&id=eq.1')).toEqual([
      { ships: [{ id: '1', engine: 'diesel' }] },
    ])
  })
})

describe('filters, order and pages of what is embedded', () => {
  it('a filter narrows the list and keeps the parent', async () => {
    const { data } = await api
      .client()
      .from('captains')
      .select('id,ships(name)')
      .eq('ships.hull', 'iron')
      .in('id', [1, 2])
      .order('id')
    expect(data).toEqual([
      { id: 1, ships: [] },
      { id: 2, ships: [{ name: 'Cormorant' }] },
    ])
  })

  it('or, order, limit and offset take the name of what is embedded', async () => {
    const { data } = await api
      .client()
      .from('ships')
      .select('id,voyages(id)')
      .or('passengers.gt.3,cargo_tons.lt.1000', { referencedTable: 'voyages' })
      .order('id', { ascending: false, referencedTable: 'voyages' })
      .limit(1, { referencedTable: 'voyages' })
      .in('id', [1, 3])
      .order('id')
    expect(data).toEqual([
      { id: 1, voyages: [{ id: 1 }] },
      { id: 3, voyages: [{ id: 5 }] },
    ])
    expect(await get('/ships?select=id,voyages(id)&voyages.order=id&voyages.offset=1&id=in.(1,3)&order=id')).toEqual([
      { id: 1, voyages: [{ id: 2 }] },
      { id: 3, voyages: [{ id: 5 }] },
    ])
  })

  it('range of the client for what is embedded', async () => {
    const { data } = await api
      .client()
      .from('ships')
      .select('voyages(id)')
      .eq('id', 1)
      .order('id', { referencedTable: 'voyages' })
      .range(1, 1, { referencedTable: 'voyages' })
    expect(data).toEqual([{ voyages: [{ id: 2 }] }])
  })

  it('filters reach two levels down, by alias too', async () => {
    expect(
      await get('/ships?select=id,team:crews(duty,who:sailors(name))&team.who.name=eq.Abe&team.duty=eq.cook&id=eq.1'),
    ).toEqual([{ id: 1, team: [{ duty: 'cook', who: { name: 'Abe' } }] }])
  })

  it('something that is not embedded cannot be filtered', async () => {
    const { status, body } = await api.ask('/ships?select=name&voyages.id=eq.1')
    expect([status, body]).toEqual([
      400,
      {
        code: 'PGRST108',
        message: "'voyages' is not an embedded resource in this request",
        details: null,
        hint: "Verify that 'voyages' is included in the 'select' query parameter.",
      },
    ])
  })
})

describe('parents by what is embedded', () => {
  it('inner leaves out parents without a match; left keeps them', async () => {
    expect(await get('/ships?select=name,captains!inner(name)&captains.name=eq.Ines%20Roth')).toEqual([
      { name: 'Albatross', captains: { name: 'Ines Roth' } },
    ])
    expect(await get('/captains?select=id,ships!inner(name)&ships.hull=eq.iron')).toEqual([
      { id: 2, ships: [{ name: 'Cormorant' }] },
    ])
    expect(await get('/ships?select=name,ports!ships_yard_fkey!inner(name)&ports.code=eq.SGSIN')).toEqual([
      { name: 'Dune', ports: { name: 'Singapore' } },
    ])
    expect(await get('/captains?select=id,ships!left(name)&ships.hull=eq.iron&id=eq.1')).toEqual([{ id: 1, ships: [] }])
  })

  it('inner several levels down', async () => {
    expect(
      await get('/captains?select=name,ships!inner(voyages!inner(destination))&ships.voyages.destination=eq.SGSIN'),
    ).toEqual([{ name: 'Ines Roth', ships: [{ voyages: [{ destination: 'SGSIN' }] }] }])
  })

  it('null filters: with and without', async () => {
    expect(await get('/ships?select=name,voyages()&voyages=is.null')).toEqual([{ name: 'Dune' }])
    expect(await get('/ships?select=name,registrations(number)&registrations=not.is.null&order=id')).toEqual([
      { name: 'Albatross', registrations: { number: 'R-001' } },
      { name: 'Cormorant', registrations: { number: 'R-003' } },
    ])
    expect(
      await get('/ships?select=name,voyages(),registrations()&or=(voyages.is.null,registrations.is.null)&order=id'),
    ).toEqual([{ name: 'Bluebell' }, { name: 'Dune' }])
  })

  it('or over several resources', async () => {
    const query =
      '/ships?select=name,cap:captains(),crew:sailors()&cap.name=like.Ines*&crew.name=eq.Cyd&or=(cap.not.is.null,crew.not.is.null)&order=id'
    expect(await get(query)).toEqual([{ name: 'Albatross' }, { name: 'Cormorant' }])
  })

  it('only null may be asked of an embedded resource', async () => {
    expect((await api.ask('/ships?select=name,voyages()&voyages=eq.1')).body).toMatchObject({
      code: 'PGRST120',
      message: "Bad operator on the 'voyages' embedded resource",
      details: 'Only is null or not is null filters are allowed on embedded resources',
    })
  })

  it('the count is that of the parents that are left', async () => {
    const { count } = await api
      .client()
      .from('ships')
      .select('id,voyages!inner(id)', { count: 'exact', head: true })
      .eq('voyages.destination', 'NLRTM')
    expect(count).toBe(2)
  })

  it('order by a to-one resource', async () => {
    const { data } = await api
      .client()
      .from('ships')
      .select('name,captains(name)')
      .order('captains(name)', { ascending: false, nullsFirst: false })
      .order('name', { ascending: false })
    expect(data?.map(({ name }) => name)).toEqual(['Cormorant', 'Bluebell', 'Albatross', 'Dune'])
    expect((await api.ask('/captains?select=name,ships(name)&order=ships(name)')).body).toMatchObject({
      code: 'PGRST118',
      message: "A related order on 'ships' is not possible",
      details: "'captains' and 'ships' do not form a many-to-one or one-to-one relationship",
    })
  })
})
