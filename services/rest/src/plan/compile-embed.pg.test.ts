import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLibrary } from './testing/open-library.ts'
import type { Library } from './testing/open-library.ts'

let library: Library
beforeAll(async () => {
  library = await openLibrary()
})
afterAll(() => library.close())

async function read(url: string): Promise<unknown> {
  return (await library.ask(url)).body
}

describe('embedding', () => {
  it.each([
    ['many-to-one by its column', '/books?id=eq.1&select=author_id(name)', [{ author_id: { name: 'Ann' } }]],
    ['many-to-one by a hint', '/books?id=eq.3&select=e:authors!editor_id(name)', [{ e: { name: 'Cy' } }]],
    ['a missing to-one as null', '/books?id=eq.4&select=authors!author_id(name)', [{ authors: null }]],
    [
      'one-to-many',
      '/books?id=eq.1&select=reviews(stars)&reviews.order=stars',
      [{ reviews: [{ stars: 2 }, { stars: 5 }] }],
    ],
    [
      'one-to-one',
      '/books?id=in.(1,2)&select=covers(colour)&order=id',
      [{ covers: { colour: 'red' } }, { covers: null }],
    ],
    [
      'many-to-many',
      '/books?id=eq.1&select=genres(name)&genres.order=id',
      [{ genres: [{ name: 'novel' }, { name: 'crime' }] }],
    ],
    [
      'a junction itself',
      '/books?id=eq.2&select=book_genres(genres(name))',
      [{ book_genres: [{ genres: { name: 'novel' } }] }],
    ],
    ['a computed relationship', '/books?id=eq.1&select=best_review(stars)', [{ best_review: { stars: 5 } }]],
    [
      'the children of a self join',
      '/shelves?id=eq.1&select=shelves(id)&shelves.order=id',
      [{ shelves: [{ id: 2 }, { id: 3 }] }],
    ],
    ['the parent of a self join', '/shelves?id=eq.2&select=inside(name)', [{ inside: { name: 'hall' } }]],
    ['through a view', '/priced_books?id=eq.1&select=authors(name)', [{ authors: { name: 'Ann' } }]],
    [
      'a view',
      '/authors?id=eq.1&select=priced_books(id)&priced_books.order=id',
      [{ priced_books: [{ id: 1 }, { id: 2 }] }],
    ],
  ])('%s', async (_, url, rows) => {
    expect(await read(url)).toEqual(rows)
  })

  it('filters, orders and pages what is embedded, also under an alias', async () => {
    const url = '/authors?id=eq.1&select=mine:books!author_id(id)&mine.order=id.desc&mine.limit=1&mine.id=gt.0'
    expect(await read(url)).toEqual([{ mine: [{ id: 2 }] }])
    expect(await read('/authors?id=eq.1&select=books!author_id(id)&books.order=id&books.offset=1')).toEqual([
      { books: [{ id: 2 }] },
    ])
  })

  it('an inner embed leaves out rows that have none', async () => {
    expect(await read('/books?select=id,reviews!inner(id)&reviews.stars=gt.4')).toEqual([
      { id: 1, reviews: [{ id: 1 }] },
    ])
    expect(await read('/authors?select=id,books!author_id!inner(id,reviews!inner())&books.order=id')).toEqual([
      { id: 1, books: [{ id: 1 }, { id: 2 }] },
    ])
  })

  it('asks whether an embedded resource has rows, also inside or', async () => {
    expect(await read('/books?select=id,reviews()&reviews=is.null&order=id')).toEqual([{ id: 3 }, { id: 4 }])
    expect(
      await read('/books?select=id,reviews(),covers()&or=(reviews.not.is.null,covers.not.is.null)&order=id'),
    ).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
  })

  it('orders by a column of a to-one, and refuses that of a to-many', async () => {
    const url = '/books?select=id,authors!author_id(name)&order=authors(name).desc.nullslast,id'
    expect(((await read(url)) as { id: number }[]).map(({ id }) => id)).toEqual([3, 1, 2, 4])
    await expect(read('/books?select=id,reviews(id)&order=reviews(id)')).rejects.toMatchObject({ code: 'PGRST118' })
  })
})

describe('spreads', () => {
  it('lift the columns of a to-one, nulls when there is none', async () => {
    expect(await read('/books?select=id,...authors!author_id(author:name,born)&id=gte.3&order=id')).toEqual([
      { id: 3, author: 'Ben', born: null },
      { id: 4, author: null, born: null },
    ])
  })

  it('make arrays of a to-many, in its order', async () => {
    expect(
      await read('/books?select=id,...reviews(stars,words:body)&reviews.order=stars.desc&id=in.(1,4)&order=id'),
    ).toEqual([
      { id: 1, stars: [5, 2], words: ['A fine story of rats', 'Long'] },
      { id: 4, stars: [], words: [] },
    ])
  })

  it('nest', async () => {
    const url =
      '/authors?id=eq.1&select=...books!author_id(title,...covers(colour),...genres(genre:name))&books.order=id'
    const nested = `${url}&books.genres.order=id`
    expect(await read(nested)).toEqual([
      { title: ['Alpha', 'Beta'], colour: ['red', null], genre: [['novel', 'crime'], ['novel']] },
    ])
  })

  it('aggregates of a to-one spread are those of the parent', async () => {
    expect(await read('/books?select=author_id,...covers(colour.count())&order=author_id')).toEqual([
      { author_id: 1, count: 1 },
      { author_id: 2, count: 1 },
      { author_id: null, count: 0 },
    ])
    await expect(read('/books?select=...reviews(stars.sum())')).rejects.toMatchObject({ code: 'PGRST127' })
  })
})

describe('refusals', () => {
  it('names the possible relationships when there are several', async () => {
    await expect(read('/books?select=authors(*)')).rejects.toMatchObject({
      code: 'PGRST201',
      status: 300,
      facts: {
        hint:
          "Try changing 'authors' to one of the following: 'authors!books_author_id_fkey', 'authors!books_editor_id_fkey'. " +
          "Find the desired relationship in the 'details' key.",
      },
    })
  })

  it.each([
    ['/books?select=covrs(*)', 'PGRST200'],
    ['/books?select=id&reviews.stars=eq.1', 'PGRST108'],
    ['/books?select=id,reviews(id)&reviews=eq.1', 'PGRST120'],
    ['/boks', 'PGRST205'],
  ])('%s is %s', async (url, code) => {
    await expect(read(url)).rejects.toMatchObject({ code })
  })
})
