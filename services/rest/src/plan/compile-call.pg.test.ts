import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLibrary } from './testing/open-library.ts'
import type { Asked, Library } from './testing/open-library.ts'

let library: Library
beforeAll(async () => {
  library = await openLibrary()
})
afterAll(() => library.close())

async function call(url: string, asked?: Asked): Promise<unknown> {
  return (await library.ask(`/rpc/${url}`, asked)).body
}

const post = (body: unknown, headers: Record<string, string> = {}): Asked => ({ method: 'POST', body, headers })
const form = { 'content-type': 'application/x-www-form-urlencoded' }

describe('arguments', () => {
  it('come from the query string or from the body, and choose the overload', async () => {
    expect(await call('add?a=1&b=2')).toBe(3)
    expect(await call('add?a=1&b=2&c=4')).toBe(7)
    expect(await call('add', post({ a: 1, b: 2 }))).toBe(3)
    expect(
      await call(
        'add',
        post([
          { a: 1, b: 2 },
          { a: 9, b: 9 },
        ]),
      ),
    ).toBe(3)
    expect(await call('pad?value=long')).toBe('<long>')
  })

  it('a variadic parameter takes all values of its name', async () => {
    expect(await call('join_all?words=a&words=b')).toBe('a-b')
    expect(await call('join_all', post({ words: ['a', 'b'] }))).toBe('a-b')
    expect(await call('join_all', post('words=a&words=b', form))).toBe('a-b')
    expect(await call('join_all', post('words=a', form))).toBe('a')
  })

  it('a single unnamed parameter takes the whole body', async () => {
    expect(await call('echo', post({ any: ['thing'] }))).toEqual({ any: ['thing'] })
  })

  it.each([
    ['add?a=1', 'PGRST202'],
    ['ad?a=1&b=2', 'PGRST202'],
    ['add?a=1&b=2&d=3', 'PGRST202'],
  ])('%s is %s', async (url, code) => {
    await expect(call(url)).rejects.toMatchObject({ code, status: 404 })
  })
})

describe('results', () => {
  it('rows of a relation can be filtered, ordered, paged, embedded and computed upon', async () => {
    const url = 'books_from?min=6&select=id,headline,authors!author_id(name)&order=id.desc&id=lt.9&limit=1'
    expect(await call(url)).toEqual([{ id: 2, headline: 'BETA', authors: { name: 'Ann' } }])
    const counted = await library.ask('/rpc/books_from?min=6&limit=1', { headers: { prefer: 'count=exact' } })
    expect(counted.cells.slice(0, 2)).toEqual(['2', '1'])
  })

  it('one row is an object', async () => {
    expect(await call('one_book?wanted=1&select=id,title')).toEqual({ id: 1, title: 'Alpha' })
    expect(await call('one_book?wanted=1&select=id,best_review(stars)')).toEqual({ id: 1, best_review: { stars: 5 } })
  })

  it('a table without a name has the columns it declares', async () => {
    expect(await call('spans?high=gt.2')).toEqual([{ low: 3, high: 4 }])
  })

  it('a set of values is an array, and can be paged', async () => {
    expect(await call('letters')).toEqual(['a', 'b', 'c'])
    const page = await library.ask('/rpc/letters?limit=1&offset=1', { headers: { prefer: 'count=exact' } })
    expect(page.body).toEqual(['b'])
    expect(page.cells.slice(0, 2)).toEqual(['3', '1'])
  })

  it('nothing is nothing, and still done', async () => {
    const written = await library.after('/rpc/note', post({ body: 'hello' }), 'select body from api.notes')
    expect(written).toEqual([{ body: 'hello' }])
    const compiled = await library.compile('/rpc/note', post({ body: 'hello' }))
    expect(compiled).toMatchObject({ isVoid: true, hasBody: false, access: 'write', isSingleResult: true })
  })

  it('a function that returns a media type makes the body itself', async () => {
    const found = await library.ask('/rpc/poem', { headers: { accept: 'text/plain' } })
    expect(found.body).toBe('roses')
    expect(found.compiled.output.contentType).toBe('text/plain; charset=utf-8')
    await expect(call('add?a=1&b=2', { headers: { accept: 'text/plain' } })).rejects.toMatchObject({ code: 'PGRST107' })
  })
})

describe('access', () => {
  it('only a POST of a volatile function may write', async () => {
    expect((await library.compile('/rpc/note?body=x')).access).toBe('read')
    expect((await library.compile('/rpc/add', post({ a: 1, b: 2 }))).access).toBe('read')
  })

  it('max-affected needs a set', async () => {
    const asked = post({ a: 1, b: 2 }, { prefer: 'handling=strict, max-affected=1' })
    await expect(library.compile('/rpc/add', asked)).rejects.toMatchObject({ code: 'PGRST128' })
  })
})
