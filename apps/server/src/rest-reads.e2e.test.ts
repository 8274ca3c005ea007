import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApi, type Api } from './testing/start-api.ts'

let api: Api
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.stop())

type Named = { name: string }
type Query = ReturnType<ReturnType<ReturnType<Api['client']>['from']>['select']>

/** The names of the ships that a filter leaves, by their id. */
async function shipsWhere(narrow: (query: Query) => Query): Promise<string[]> {
  const query = api.client().from('ships').select('name') as unknown as Query
  const { data, error } = await narrow(query).order('id')
  expect(error).toBeNull()
  return (data as unknown as Named[]).map(({ name }) => name)
}

async function namesAt(path: string): Promise<string[]> {
  const { body, status } = await api.ask(path)
  expect({ status, body }).toMatchObject({ status: 200 })
  return (body as Named[]).map(({ name }) => name)
}

const ships = (filter: string): Promise<string[]> => namesAt(`/ships?select=name&order=id&${filter}`)

describe('filters of the client', () => {
  it.each<[string, (query: Query) => Query, string[]]>([
    ['eq', (q) => q.eq('name', 'Dune'), ['Dune']],
    ['eq on an enum', (q) => q.eq('hull', 'wood'), ['Bluebell']],
    ['neq leaves out null', (q) => q.neq('tonnage', 80), ['Albatross', 'Cormorant']],
    ['gt', (q) => q.gt('tonnage', 1200), ['Albatross']],
    ['gte', (q) => q.gte('tonnage', 1200), ['Albatross', 'Cormorant']],
    ['lt', (q) => q.lt('tonnage', 1200), ['Bluebell']],
    ['lte', (q) => q.lte('tonnage', 1200), ['Bluebell', 'Cormorant']],
    ['like', (q) => q.like('name', '%ue%'), ['Bluebell']],
    ['likeAllOf', (q) => q.likeAllOf('name', ['%o%', '%r%']), ['Albatross', 'Cormorant']],
    ['likeAnyOf', (q) => q.likeAnyOf('name', ['Al%', 'Du%']), ['Albatross', 'Dune']],
    ['ilike', (q) => q.ilike('name', 'a%'), ['Albatross']],
    ['ilikeAllOf', (q) => q.ilikeAllOf('name', ['%B%', '%L%']), ['Albatross', 'Bluebell']],
    ['ilikeAnyOf', (q) => q.ilikeAnyOf('name', ['d%', 'b%']), ['Bluebell', 'Dune']],
    ['regexMatch', (q) => q.regexMatch('name', '^[AC]'), ['Albatross', 'Cormorant']],
    ['regexIMatch', (q) => q.regexIMatch('name', '^[ac]'), ['Albatross', 'Cormorant']],
    ['is null', (q) => q.is('tonnage', null), ['Dune']],
    ['isDistinct counts null as a value', (q) => q.isDistinct('tonnage', 80), ['Albatross', 'Cormorant', 'Dune']],
    ['in', (q) => q.in('name', ['Dune', 'Bluebell']), ['Bluebell', 'Dune']],
    ['in with nothing', (q) => q.in('name', []), []],
    ['notIn', (q) => q.notIn('name', ['Dune', 'Bluebell']), ['Albatross', 'Cormorant']],
    ['contains an array', (q) => q.contains('tags', ['cargo']), ['Albatross', 'Cormorant']],
    ['contains json', (q) => q.contains('details', { engine: { kind: 'sail' } }), ['Bluebell']],
    ['contains a range', (q) => q.contains('service', '[1985-01-01,1986-01-01)'), ['Bluebell', 'Cormorant']],
    ['containedBy', (q) => q.containedBy('tags', ['school', 'cargo', 'old']), ['Bluebell', 'Cormorant', 'Dune']],
    ['overlaps an array', (q) => q.overlaps('tags', ['fast', 'school']), ['Albatross', 'Bluebell']],
    ['overlaps a range', (q) => q.overlaps('draught', '[4,6)'), ['Albatross', 'Cormorant']],
    ['rangeGt', (q) => q.rangeGt('draught', '[2,3)'), ['Albatross', 'Cormorant']],
    ['rangeGte', (q) => q.rangeGte('draught', '[3,4)'), ['Albatross', 'Cormorant']],
    ['rangeLt', (q) => q.rangeLt('draught', '[5,6)'), ['Albatross', 'Bluebell']],
    ['rangeLte', (q) => q.rangeLte('draught', '[4,5)'), ['Albatross', 'Bluebell']],
    ['rangeAdjacent', (q) => q.rangeAdjacent('draught', '[2,3)'), ['Albatross', 'Bluebell']],
    ['textSearch', (q) => q.textSearch('story_words', 'carry & coffee'), ['Albatross']],
    ['textSearch, plain', (q) => q.textSearch('story_words', 'carrying grain', { type: 'plain' }), ['Cormorant']],
    ['textSearch, phrase', (q) => q.textSearch('story_words', 'school ship', { type: 'phrase' }), ['Bluebell']],
    [
      'textSearch, websearch in a language',
      (q) => q.textSearch('story', 'coffee or tourist -grain', { type: 'websearch', config: 'english' }),
      ['Albatross'],
    ],
    ['match', (q) => q.match({ hull: 'steel', home: 'DEHAM' }), ['Albatross']],
    ['not', (q) => q.not('tonnage', 'is', null), ['Albatross', 'Bluebell', 'Cormorant']],
    ['not in', (q) => q.not('name', 'in', '(Dune,Bluebell)'), ['Albatross', 'Cormorant']],
    ['or', (q) => q.or('hull.eq.wood,tonnage.gt.5000'), ['Albatross', 'Bluebell']],
    ['or with and inside', (q) => q.or('name.eq.Dune,and(hull.eq.steel,tonnage.gt.5000)'), ['Albatross', 'Dune']],
    ['filter', (q) => q.filter('details->engine->>kind', 'eq', 'steam'), ['Cormorant']],
    ['two filters are both needed', (q) => q.eq('hull', 'steel').not('tonnage', 'is', null), ['Albatross']],
  ])('%s', async (_name, narrow, expected) => {
    expect(await shipsWhere(narrow)).toEqual(expected)
  })
})

describe('filters of the query string', () => {
  it.each([
    ['name=eq(any).{Dune,Bluebell}', ['Bluebell', 'Dune']],
    ['tonnage=gt(all).{100,1000}', ['Albatross', 'Cormorant']],
    ['tonnage=lte(any).{80,1200}', ['Bluebell', 'Cormorant']],
    ['name=match(any).{^A,^B}', ['Albatross', 'Bluebell']],
    ['name=imatch(all).{^a,s$}', ['Albatross']],
    ['name=not.like(any).{A*,B*}', ['Cormorant', 'Dune']],
    ['name=like.*ue*', ['Bluebell']],
    ['name=in.("Dune","Blue,bell")', ['Dune']],
    ['tonnage=is.not_null', ['Albatross', 'Bluebell', 'Cormorant']],
    ['tonnage=not.is.null', ['Albatross', 'Bluebell', 'Cormorant']],
    ['tonnage=not.isdistinct.80', ['Bluebell']],
    ['story=fts(english).carries', ['Albatross', 'Cormorant']],
    ['story=plfts.grain', ['Cormorant']],
    ['story_words=not.phfts(english).school ship', ['Albatross', 'Cormorant', 'Dune']],
    ['story=wfts(german).coffee', ['Albatross']],
    ['draught=sl.[5,6)', ['Albatross', 'Bluebell']],
    ['draught=sr.[2,3)', ['Albatross', 'Cormorant']],
    ['draught=nxl.[3,4)', ['Albatross', 'Cormorant']],
    ['draught=nxr.[4,5)', ['Albatross', 'Bluebell']],
    ['draught=adj.[2,3)', ['Albatross', 'Bluebell']],
    ['and=(tonnage.gte.80,tonnage.lte.1200)', ['Bluebell', 'Cormorant']],
    ['not.and=(tonnage.gte.80,tonnage.lte.1200)', ['Albatross']],
    ['not.or=(hull.eq.wood,hull.eq.iron)', ['Albatross', 'Dune']],
    ['or=(not.and(tonnage.gt.100,tonnage.lt.2000),name.eq.Cormorant)', ['Albatross', 'Bluebell', 'Cormorant']],
    ['or=(draught.adj."[2,3)",name.in.(Dune,"Cormorant"))', ['Albatross', 'Bluebell', 'Cormorant', 'Dune']],
    ['or=(tags.cs.{old},tags.ov.{school,x})', ['Bluebell', 'Cormorant']],
    ['or=(story.fts(english).grain,name.like.D*)', ['Cormorant', 'Dune']],
    ['details->engine->power=gt.500', ['Albatross']],
    ['details->engine->>power=eq.300', ['Cormorant']],
    ['details->decks->1=eq.2', ['Albatross']],
    ['details->decks->-1=eq.3', ['Albatross']],
    ['tags->>0=eq.cargo', ['Cormorant']],
    ['title=eq.MS Dune', ['Dune']],
    ['id=eq.1&id=eq.1', ['Albatross']],
    ['id=gt.1&id=lt.3', ['Bluebell']],
  ])('%s', async (filter, expected) => {
    expect(await ships(filter)).toEqual(expected)
  })

  it('is.true, is.false and is.unknown tell the three values of a boolean apart', async () => {
    expect(await namesAt('/captains?active=is.true&order=id')).toEqual(['Ines Roth', 'Tomas Berg'])
    expect(await namesAt('/captains?active=is.false')).toEqual(['Wei Lin'])
    expect(await namesAt('/captains?active=is.unknown')).toEqual(['Old Salt'])
    expect(await namesAt('/captains?active=is.null')).toEqual(['Old Salt'])
  })

  it('reach into composite columns', async () => {
    expect(await namesAt('/ports?spot->latitude=gt.52')).toEqual(['Hamburg'])
    expect((await api.ask('/ports?code=eq.SGSIN&select=spot->>longitude,first:languages->0')).body).toEqual([
      { longitude: '103.84', first: 'en' },
    ])
  })

  it('names of relations and columns may have spaces, dots and letters of any alphabet', async () => {
    const table = `/${encodeURIComponent('Seemannsgarn & Öl')}`
    expect((await api.ask(`${table}?select=id&Wie%20lang=lt.5`)).body).toEqual([{ id: 1 }])
    expect((await api.ask(`${table}?select=id,%22fass.nr%22&%22fass.nr%22=eq.x,1`)).body).toEqual([
      { id: 1, 'fass.nr': 'x,1' },
    ])
    expect((await api.ask(`${table}?select=%22a:b,c(d)%22&order=%22a:b,c(d)%22.desc`)).body).toEqual([
      { 'a:b,c(d)': 'zwei' },
      { 'a:b,c(d)': 'eins' },
    ])
  })

  it('reserved characters in values are quoted, quotes and backslashes inside are escaped', async () => {
    const table = `/${encodeURIComponent('Seemannsgarn & Öl')}?select=id&order=id`
    const list = encodeURIComponent(String.raw`in.("x,1","y\"2\\")`)
    expect((await api.ask(`${table}&%22fass.nr%22=${list}`)).body).toEqual([{ id: 1 }, { id: 2 }])
    const tree = encodeURIComponent(String.raw`("fass.nr".eq."x,1","fass.nr".eq."y\"2\\")`)
    expect((await api.ask(`${table}&or=${tree}`)).body).toEqual([{ id: 1 }, { id: 2 }])
  })

  it('a value is a parameter: what looks like SQL finds nothing and harms nothing', async () => {
    expect(await ships(`name=eq.${encodeURIComponent("x' or '1'='1")}`)).toEqual([])
    expect(await ships(`name=eq.${encodeURIComponent("'; drop table ships; --")}`)).toEqual([])
    expect((await ships('id=gt.0')).length).toBe(4)
  })
})

describe('select', () => {
  it('takes columns, aliases, casts and paths into json', async () => {
    const select =
      'ship:name,tonnage::text,engine:details->engine->>kind,power:details->engine->power,details->decks->0'
    const { data } = await api.client().from('ships').select(select).eq('id', 1).single()
    expect(data).toEqual({ ship: 'Albatross', tonnage: '5200', engine: 'diesel', power: 900, decks: 1 })
  })

  it('gives every column by default and for *, with a computed one beside it when asked', async () => {
    const { body } = await api.ask('/sailors?id=eq.1')
    expect(body).toEqual([{ id: 1, name: 'Abe' }])
    expect((await api.ask('/ships?select=title,*&id=eq.2')).body).toMatchObject([
      { title: 'MS Bluebell', hull: 'wood' },
    ])
  })

  it('spaces around commas do not matter', async () => {
    const { data } = await api.client().from('ships').select('id, name').eq('id', 4)
    expect(data).toEqual([{ id: 4, name: 'Dune' }])
  })

  it('renders types as Postgres writes them in json', async () => {
    const { data } = await api.client().from('ships').select('tags,draught,service,details').eq('id', 1).single()
    expect(data).toEqual({
      tags: ['fast', 'cargo'],
      draught: '[3,5)',
      service: '[2001-05-01,2021-05-01)',
      details: { engine: { kind: 'diesel', power: 900 }, decks: [1, 2, 3] },
    })
  })

  it('reads views, materialized views and partitions', async () => {
    expect(await namesAt('/steel_ships?order=id')).toEqual(['Albatross', 'Dune'])
    expect((await api.ask('/port_visits?port=eq.NLRTM')).body).toEqual([{ port: 'NLRTM', visits: 2 }])
    expect((await api.ask('/tides?select=height_metres&order=day,port')).body).toEqual([
      { height_metres: 3.1 },
      { height_metres: 3.4 },
      { height_metres: 1.8 },
    ])
  })
})

describe('order', () => {
  const sorted = async (order: string): Promise<string> =>
    (await namesAt(`/ships?select=name&order=${order}`)).map((name) => name[0]).join('')

  it.each([
    ['tonnage', 'BCAD'],
    ['tonnage.asc', 'BCAD'],
    ['tonnage.desc', 'DACB'],
    ['tonnage.nullsfirst', 'DBCA'],
    ['tonnage.desc.nullslast', 'ACBD'],
    ['tonnage.asc.nullsfirst', 'DBCA'],
    ['hull.desc,name.desc', 'DACB'],
    ['details->engine->>kind.asc.nullslast', 'ABCD'],
    ['title.desc', 'DCBA'],
    ['id.desc', 'DCBA'],
  ])('%s', async (order, expected) => {
    expect(await sorted(order)).toBe(expected)
  })

  it('of the client: direction, nulls, several columns', async () => {
    const { data } = await api
      .client()
      .from('ships')
      .select('name')
      .order('tonnage', { ascending: false, nullsFirst: false })
      .order('name')
      .limit(2)
    expect(data).toEqual([{ name: 'Albatross' }, { name: 'Cormorant' }])
  })
})

describe('preferences of a read', () => {
  it('timezone moves timestamps, and an unknown one is an error', async () => {
    const at = async (zone: string) =>
      api.ask('/readings?select=taken_at&id=eq.1', { headers: { Prefer: `timezone=${zone}` } })
    const there = await at('America/Los_Angeles')
    expect(there.body).toEqual([{ taken_at: '2026-06-01T05:00:00-07:00' }])
    expect(there.headers.get('preference-applied')).toBe('timezone=America/Los_Angeles')
    const strict = await api.ask('/readings', { headers: { Prefer: 'handling=strict, timezone=Jupiter/Red_Spot' } })
    expect([strict.status, strict.body]).toMatchObject([400, { code: 'PGRST122' }])
  })

  it('handling=strict names what is not understood; lenient goes on', async () => {
    const strict = await api.ask('/ships', { headers: { Prefer: 'handling=strict, foo, bar=1' } })
    expect([strict.status, strict.body]).toEqual([
      400,
      {
        code: 'PGRST122',
        message: 'Invalid preferences given with handling=strict',
        details: 'Invalid preferences: foo, bar=1',
        hint: null,
      },
    ])
    const lenient = await api.ask('/ships?limit=1', { headers: { Prefer: 'handling=lenient, foo' } })
    expect([lenient.status, lenient.headers.get('preference-applied')]).toEqual([200, 'handling=lenient'])
  })
})

describe('the client', () => {
  it('sends as many parameters as a screen of an app needs', async () => {
    const { data, error } = await api
      .client()
      .from('ships')
      .select('id,name')
      .in(
        'id',
        Array.from({ length: 500 }, (_, index) => index),
      )
      .order('id')
    expect(error).toBeNull()
    expect(data).toHaveLength(4)
  })

  it('can give up waiting', async () => {
    const { error } = await api.client().from('ships').select().abortSignal(AbortSignal.abort())
    expect(error?.message).toContain('abort')
  })

  it('throws when asked to', async () => {
    await expect(api.client().from('nowhere').select().throwOnError()).rejects.toMatchObject({ code: 'PGRST205' })
  })
})
