import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resultColumns } from '../compiled.ts'
import { openLibrary } from './testing/open-library.ts'
import type { Asked, Found, Library } from './testing/open-library.ts'

let library: Library
beforeAll(async () => {
  library = await openLibrary()
})
afterAll(() => library.close())

const shown = 'return=representation'

function send(method: string, prefer: string, body?: unknown): Asked {
  return { method, body, headers: { prefer } }
}

async function rows(found: Promise<Found>): Promise<number> {
  return Number((await found).cells[resultColumns.pageRows])
}

describe('insert', () => {
  it('gives only the number of rows unless more is asked', async () => {
    const { cells } = await library.ask(
      '/genres',
      send('POST', '', [
        { id: 7, name: 'saga' },
        { id: 8, name: 'ode' },
      ]),
    )
    expect(cells).toEqual([null, '2', null, null, null, null, null])
  })

  it('needs no right to read what it wrote, and no policy', async () => {
    const written = await library.after('/notes', send('POST', '', { id: 5, body: 'mine' }), 'select * from api.notes')
    expect(written).toEqual([{ id: 5, body: 'mine' }])
    await expect(library.ask('/notes', send('POST', shown, { id: 5 }))).rejects.toMatchObject({ code: '42501' })
  })

  it('answers with the selected columns, computed ones and embeds', async () => {
    const book = { id: 50, title: 'New', author_id: 2, tags: ['a', 'b'], facts: { deep: [1] } }
    const url = '/books?select=id,pages,headline,tags,facts->deep,authors!author_id(name),genres(name)'
    expect((await library.ask(url, send('POST', shown, book))).body).toEqual([
      { id: 50, pages: 100, headline: 'NEW', tags: ['a', 'b'], deep: [1], authors: { name: 'Ben' }, genres: [] },
    ])
    const computed = await library.ask('/books?select=*,best_review(id)', send('POST', shown, { id: 51, title: 'X' }))
    expect(computed.body).toEqual([
      {
        id: 51,
        title: 'X',
        author_id: null,
        editor_id: null,
        price: null,
        tags: null,
        facts: null,
        pages: 100,
        best_review: null,
      },
    ])
  })

  it('gives the address of a single row, percent-encoded', async () => {
    const one = await library.ask('/settings', send('POST', 'return=headers-only', { key: 'a&b=ü' }))
    expect(one.cells[resultColumns.location]).toBe('key=eq.a%26b%3D%C3%BC')
    const two = send('POST', 'return=headers-only', [{ key: 'a' }, { key: 'b' }])
    expect((await library.ask('/settings', two)).cells[resultColumns.location]).toBeNull()
  })

  it('takes defaults for an empty object and for each of an array', async () => {
    expect((await library.ask('/books?select=pages,title', send('POST', shown, [])))?.body).toEqual([])
    await expect(library.ask('/books', send('POST', '', {}))).rejects.toMatchObject({ code: '23502' })
    const many = library.ask('/paints', send('POST', '', [{}, {}]))
    await expect(many).rejects.toMatchObject({ code: '23502' })
  })

  it('fills missing keys with null, or with defaults', async () => {
    const url = '/settings?columns=key,value,changes&select=key,value,changes'
    const body = [{ key: 'a', value: 'x', ignored: 1 }, { key: 'b' }, { key: 'c', value: null }]
    expect((await library.ask(url, send('POST', shown, body))).body).toEqual([
      { key: 'a', value: 'x', changes: null },
      { key: 'b', value: null, changes: null },
      { key: 'c', value: null, changes: null },
    ])
    expect((await library.ask(url, send('POST', `${shown}, missing=default`, body))).body).toEqual([
      { key: 'a', value: 'x', changes: 0 },
      { key: 'b', value: 'unset', changes: 0 },
      { key: 'c', value: null, changes: 0 },
    ])
  })

  it('reads a domain by its representation', async () => {
    const found = await library.ask('/paints', send('POST', shown, { id: 9, shade: '#000010' }))
    expect(found.body).toEqual([{ id: 9, shade: '#000010' }])
  })

  it('refuses an unknown column', async () => {
    await expect(library.compile('/genres', send('POST', '', { nam: 'x' }))).rejects.toMatchObject({ code: 'PGRST204' })
    await expect(library.compile('/genres?columns=x', send('POST', '', {}))).rejects.toMatchObject({ code: 'PGRST204' })
  })
})

describe('upsert', () => {
  const body = [
    { key: 'font', value: 'mono' },
    { key: 'size', value: '12' },
  ]

  it('merges, and says how many rows are new', async () => {
    const found = await library.ask(
      '/settings?select=key,value',
      send('POST', `${shown}, resolution=merge-duplicates`, body),
    )
    expect(found.body).toEqual(body)
    expect(found.cells[resultColumns.inserted]).toBe('1')
    expect(found.compiled.mutation).toBe('upsert')
  })

  it('ignores duplicates', async () => {
    const found = await library.ask(
      '/settings?select=key',
      send('POST', `${shown}, resolution=ignore-duplicates`, body),
    )
    expect(found.body).toEqual([{ key: 'size' }])
  })

  it('takes another unique key', async () => {
    const genre = [{ id: 1, name: 'verse' }]
    await expect(
      library.ask('/genres', send('POST', 'resolution=merge-duplicates', [{ id: 9, name: 'verse' }])),
    ).rejects.toMatchObject({ code: '23505' })
    const found = library.ask('/genres?on_conflict=name', send('POST', 'resolution=ignore-duplicates', genre))
    expect(await rows(found)).toBe(0)
  })
})

describe('put', () => {
  it('replaces the addressed row or inserts it', async () => {
    const replaced = await library.ask(
      '/settings?key=eq.font',
      send('PUT', shown, { key: 'font', value: 'x', changes: 3 }),
    )
    expect(replaced.body).toEqual([{ key: 'font', value: 'x', changes: 3 }])
    expect(replaced.cells[resultColumns.inserted]).toBe('0')
    const inserted = await library.ask(
      '/settings?key=eq.new',
      send('PUT', '', [{ key: 'new', value: 'x', changes: 3 }]),
    )
    expect(inserted.cells[resultColumns.inserted]).toBe('1')
  })

  it('changes nothing when the payload has another key', async () => {
    expect(await rows(library.ask('/settings?key=eq.font', send('PUT', '', { key: 'size', value: 'x' })))).toBe(0)
  })

  it.each([
    ['/settings?value=eq.x', 'PGRST105'],
    ['/settings?key=in.(a)', 'PGRST105'],
    ['/settings?key=eq.a&value=eq.b', 'PGRST105'],
    ['/settings', 'PGRST105'],
    ['/settings?key=eq.font&limit=1', 'PGRST114'],
  ])('%s is %s', async (url, code) => {
    await expect(library.compile(url, send('PUT', '', { key: 'font' }))).rejects.toMatchObject({ code })
  })
})

describe('update and delete', () => {
  it('change the filtered rows only', async () => {
    const url = '/books?price=gte.10&select=id,price'
    const found = await library.ask(`${url}&order=id.desc`, send('PATCH', shown, { price: 1 }))
    expect(found.body).toEqual([
      { id: 2, price: 1 },
      { id: 1, price: 1 },
    ])
    expect(await rows(library.ask('/books?headline=eq.ALPHA', send('PATCH', '', { pages: 1 })))).toBe(1)
  })

  it('filters on embedded resources shape the answer alone', async () => {
    const url = '/books?id=eq.1&select=id,reviews(id)&reviews.stars=gt.4'
    expect((await library.ask(url, send('PATCH', shown, { pages: 2 }))).body).toEqual([{ id: 1, reviews: [{ id: 1 }] }])
  })

  it('an update that sets nothing changes no row', async () => {
    const found = await library.ask('/books?id=eq.1', send('PATCH', shown, {}))
    expect(found.body).toEqual([])
    expect(found.cells[resultColumns.pageRows]).toBe('0')
  })

  it('a missing key of an update takes the default when asked', async () => {
    const url = '/settings?key=eq.font&columns=value&select=value'
    const found = await library.ask(url, send('PATCH', `${shown}, missing=default`, { other: 1 }))
    expect(found.body).toEqual([{ value: 'unset' }])
  })

  it('delete answers with what is gone', async () => {
    const found = await library.ask('/covers?book_id=eq.3&select=colour,books(title)', send('DELETE', shown))
    expect(found.body).toEqual([{ colour: 'blue', books: { title: 'Gamma' } }])
    expect(await rows(library.ask('/reviews?stars=lt.5', send('DELETE', '')))).toBe(2)
  })

  it('a single object is counted by what is shown', async () => {
    const asked = { method: 'DELETE', headers: { prefer: shown, accept: 'application/vnd.pgrst.object+json' } }
    const found = await library.ask('/reviews?id=eq.1&select=stars', asked)
    expect(found.body).toEqual({ stars: 5 })
    expect(found.compiled.output.singular).toBe(true)
  })
})
