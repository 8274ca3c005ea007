import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Library, openLibrary } from './testing/open-library.ts'

let library: Library
beforeAll(async () => {
  library = await openLibrary()
})
afterAll(() => library.close())

it.each([
  ['/books', 'books'],
  ['/books?select=title&price=gt.5&order=id&limit=3', 'books'],
  ['/books?select=title,authors!author_id(name)', 'books authors'],
  ['/books?select=title,genres(name)', 'books book_genres genres'],
  ['/books?select=title,...covers(colour),reviews(stars,body)&reviews.stars=gt.2', 'books covers reviews'],
  ['/books?select=title,reviews!inner()&order=title', 'books reviews'],
  ['/priced_books?select=title,authors(name)', 'priced_books authors'],
  ['/books?select=title,authors!author_id(name)&order=authors(name)', 'books authors'],
  ['/books?select=id,facts->weight,tags->0&facts->>weight=eq.3', 'books'],
  ['/books?select=price::text,pages.sum()::int', 'books'],
])('%s reads %s', async (url, names) => {
  const { sources } = await library.compile(url)
  expect(sources?.relations.map(({ name }) => name)).toEqual(names.split(' '))
  expect(sources?.hindrance).toBeUndefined()
})

it.each([
  ['/books?select=headline', 'headline'],
  ['/books?select=title&headline=eq.A', 'headline'],
  ['/books?select=title&or=(id.eq.1,headline.eq.A)', 'headline'],
  ['/books?select=title&order=headline', 'headline'],
  ['/books?select=title,best_review(stars)', 'a function that gives rows'],
  ['/paints', 'api.shade_out'],
  ['/paints?select=id&shade=eq.%23000000ff', 'api.shade_'],
  ['/authors?select=name::date', 'a cast to date'],
])('%s may look at anything: %s', async (url, what) => {
  const { sources } = await library.compile(url)
  expect(sources?.hindrance?.text).toContain(what)
})

it('says nothing of what is no read', async () => {
  const plan = { headers: { accept: 'application/vnd.pgrst.plan+json' } }
  expect((await library.compile('/books', plan)).sources).toBeUndefined()
  expect((await library.compile('/rpc/add?a=1&b=2')).sources).toBeUndefined()
  expect((await library.compile('/notes', { method: 'POST', body: { id: 1 } })).sources).toBeUndefined()
})
