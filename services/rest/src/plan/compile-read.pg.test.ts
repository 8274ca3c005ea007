import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLibrary } from './testing/open-library.ts'
import type { Asked, Library } from './testing/open-library.ts'

let library: Library
beforeAll(async () => {
  library = await openLibrary()
})
afterAll(() => library.close())

async function read(url: string, asked?: Asked): Promise<unknown> {
  return (await library.ask(url, asked)).body
}

describe('filters', () => {
  it.each([
    ['id=eq.2', [2]],
    ['id=neq.2', [1, 3, 4]],
    ['price=gt.5.5', [1, 2]],
    ['price=gte.5.5&price=lt.20', [1, 4]],
    ['title=like.*a', [1, 2, 3]],
    ['title=ilike.A*', [1]],
    ['title=like(any).{A*,B*}', [1, 2]],
    ['title=ilike(all).{*a*,*m*}', [3]],
    ['title=match.^[AB]', [1, 2]],
    ['title=imatch.^g', [3]],
    ['id=in.(1,3,9)', [1, 3]],
    ['id=not.in.(1,3,9)', [2, 4]],
    ['title=in.("Delta, \\"the\\" \\\\ end")', [4]],
    ['price=is.null', [3]],
    ['price=not.is.null', [1, 2, 4]],
    ['price=isdistinct.10', [2, 3, 4]],
    ['tags=cs.{red}', [1]],
    ['tags=cd.{new,old}', [2, 4]],
    ['tags=ov.{red,new}', [1, 2]],
    ['facts->weight=eq.12', [2]],
    ['facts->>weight=eq.3', [1]],
    ['tags->0=eq."new"', [2]],
    ['headline=eq.ALPHA', [1]],
    ['or=(id.eq.1,and(price.gt.15,price.lt.25))', [1, 2]],
    ['not.or=(id.eq.1,id.eq.2)', [3, 4]],
    ['id=eq(any).{1,4}', [1, 4]],
  ])('%s finds %j', async (query, ids) => {
    expect(await read(`/books?select=id&order=id&${query}`)).toEqual(ids.map((id) => ({ id })))
  })

  it('full text search works on text columns, in a language', async () => {
    expect(await read('/reviews?select=id&body=fts(english).rat&order=id')).toEqual([{ id: 1 }, { id: 3 }])
    expect(await read('/reviews?select=id&body=wfts(simple).rat')).toEqual([{ id: 3 }])
  })

  it('a domain is filtered and shown in its representation', async () => {
    expect(await read('/paints?shade=eq.%23000000ff')).toEqual([{ id: 1, shade: '#0000ff' }])
    expect(await read('/paints?shade=in.(%23ff00)&select=shade')).toEqual([{ shade: '#00ff00' }])
  })

  it('a column that the caller may not read can be neither shown nor asked about', async () => {
    expect(await read('/accounts?select=id,name&name=eq.ann')).toEqual([{ id: 1, name: 'ann' }])
    for (const url of ['/accounts', '/accounts?select=id&secret=eq.x1', '/accounts?select=id&order=secret']) {
      await expect(read(url)).rejects.toMatchObject({ code: '42501' })
    }
  })

  it('an unknown column is what Postgres says it is', async () => {
    await expect(read('/books?select=titel')).rejects.toMatchObject({ code: '42703' })
  })
})

describe('select', () => {
  it('renames, casts, walks into JSON and calls functions of the row', async () => {
    const select = 'n:id::text,facts->weight,city:facts->>weight,tags->1,headline'
    expect(await read(`/books?id=eq.1&select=${select}`)).toEqual([
      { n: '1', weight: 3, city: '3', tags: 'red', headline: 'ALPHA' },
    ])
  })

  it('gives whole rows without a select', async () => {
    expect(await read('/genres?order=id.desc&limit=1')).toEqual([{ id: 3, name: 'verse' }])
  })
})

describe('aggregates', () => {
  it('group by the other columns and by embedded rows', async () => {
    expect(await read('/books?select=author_id,count(),price.sum()&order=author_id.nullsfirst')).toEqual([
      { author_id: null, count: 1, sum: 5.5 },
      { author_id: 1, count: 2, sum: 30 },
      { author_id: 2, count: 1, sum: null },
    ])
    expect(await read('/books?select=count(),authors!author_id(name)&author_id=eq.1')).toEqual([
      { count: 2, authors: { name: 'Ann' } },
    ])
  })

  it('are refused when they are switched off', async () => {
    await expect(read('/books?select=count()', { config: { aggregatesEnabled: false } })).rejects.toMatchObject({
      code: 'PGRST123',
    })
  })
})

describe('pages', () => {
  it('limit, offset and Range give the same page', async () => {
    const page = [{ id: 2 }, { id: 3 }]
    expect(await read('/books?select=id&order=id&limit=2&offset=1')).toEqual(page)
    expect(await read('/books?select=id&order=id', { headers: { range: '1-2' } })).toEqual(page)
    expect(await read('/books?select=id&order=id&offset=2')).toEqual([{ id: 3 }, { id: 4 }])
    expect(await read('/books?select=id&limit=0')).toEqual([])
  })

  it('max-rows limits the root and what is embedded', async () => {
    const found = await library.ask('/authors?select=id,books!author_id(id)&order=id', { config: { maxRows: 1 } })
    expect(found.body).toEqual([{ id: 1, books: [{ id: 1 }] }])
  })

  it('counts all rows beside those of the page', async () => {
    const found = await library.ask('/books?select=id,authors!author_id!inner(id)&limit=1', {
      headers: { prefer: 'count=exact' },
    })
    expect(found.cells.slice(0, 2)).toEqual(['3', '1'])
  })

  it('asks the planner how many rows there may be', async () => {
    const compiled = await library.compile('/books?id=gt.1', { headers: { prefer: 'count=planned' } })
    expect(compiled.estimate?.text).toMatch(/^explain \(format json\) select from "api"."books"/)
  })
})

describe('media types', () => {
  it('a single object, without nulls where asked', async () => {
    const accept = { headers: { accept: 'application/vnd.pgrst.object+json;nulls=stripped' } }
    expect(await read('/books?id=eq.3&select=id,price', accept)).toEqual({ id: 3 })
  })

  it('CSV quotes what needs it and keeps backslashes', async () => {
    const csv = await read('/books?select=id,title&id=gte.3&order=id', { headers: { accept: 'text/csv' } })
    expect(csv).toBe('id,title\n3,Gamma\n4,"Delta, ""the"" \\ end"')
  })

  it('CSV of no rows is its header', async () => {
    expect(await read('/books?select=id,title&id=gt.9', { headers: { accept: 'text/csv' } })).toBe('id,title\n')
  })

  it('the plan, when the settings allow it', async () => {
    const accept = { headers: { accept: 'application/vnd.pgrst.plan+text; options=verbose|analyze' } }
    expect((await library.ask('/books', accept)).cells[0]).toContain('Aggregate')
    await expect(read('/books', { ...accept, config: { planEnabled: false } })).rejects.toMatchObject({
      code: 'PGRST107',
    })
  })
})
