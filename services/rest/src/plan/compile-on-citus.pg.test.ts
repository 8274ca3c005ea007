import { afterAll, beforeAll, expect, test } from 'vitest'
import { resultColumns } from '../compiled.ts'
import { openLibrary } from './testing/open-library.ts'
import type { Asked, Library } from './testing/open-library.ts'

/** Statements that are written in another way on Citus do the same on Postgres; that Citus takes them is seen on one. */
let library: Library
let plain: Library
beforeAll(async () => {
  library = await openLibrary({ shardKeys: new Map() })
  plain = await openLibrary()
})
afterAll(async () => {
  await library.close()
  await plain.close()
})

const merge = 'return=representation, resolution=merge-duplicates'
const send = (method: string, prefer: string, body: unknown): Asked => ({ method, body, headers: { prefer } })

test.each([
  ['some rows are new', [{ key: 'font' }, { key: 'size' }], '1'],
  ['no row is', [{ key: 'font' }], '0'],
  ['all are', [{ key: 'a' }, { key: 'b' }], '2'],
])('an upsert of which %s', async (_case, body, inserted) => {
  for (const prefer of [merge, 'resolution=merge-duplicates']) {
    const { cells, compiled } = await library.ask('/settings', send('POST', prefer, body))
    expect(cells[resultColumns.inserted]).toBe(inserted)
    expect(compiled.statement.text).not.toContain('set_config')
  }
  expect((await library.ask('/settings', send('POST', merge, body))).body).toEqual(
    (await plain.ask('/settings', send('POST', merge, body))).body,
  )
})

test('PUT says whether the row is new', async () => {
  const put = async (key: string) => library.ask(`/settings?key=eq.${key}`, send('PUT', '', { key }))
  expect((await put('font')).cells[resultColumns.inserted]).toBe('0')
  expect((await put('new')).cells[resultColumns.inserted]).toBe('1')
})

test('who may not read system columns has a statement without', async () => {
  const asked = send('POST', merge, { key: 'font', value: 'x' })
  const { plainStatement } = await library.compile('/settings', asked)
  await library.prepare(plainStatement!)
  expect(plainStatement?.text).not.toMatch(/xmax|set_config/)
  const insert = await library.compile('/settings', send('POST', '', { key: 'font' }))
  expect(insert.plainStatement).toBeUndefined()
  expect((await plain.compile('/settings', asked)).plainStatement).toBeUndefined()
})

test('views, whose rows are on the coordinator, count as on Postgres', async () => {
  const { statement, plainStatement } = await library.compile(
    '/priced_books?on_conflict=id',
    send('POST', merge, { id: 1, title: 'Alef' }),
  )
  expect([statement.text.includes('set_config'), plainStatement]).toEqual([true, undefined])
})

test('a function is called on the coordinator when other tables are asked too', async () => {
  const url = '/rpc/books_from?min=5&select=title,authors!author_id(name)&order=id'
  const found = await library.ask(url)
  expect(found.compiled.statement.text).toContain('as materialized')
  expect(found.body).toEqual((await plain.ask(url)).body)
  const alone = await library.compile('/rpc/books_from?min=5&select=title')
  expect(alone.statement.text).not.toContain('materialized')
})

test('rows that are counted up to a bound have a column', async () => {
  const asked = { headers: { prefer: 'count=estimated' }, config: { maxRows: 2 } }
  const { cells, compiled } = await library.ask('/books?select=id', asked)
  expect(compiled.statement.text).toContain('(select 1 from')
  expect(cells[resultColumns.total]).toBe('3')
})
