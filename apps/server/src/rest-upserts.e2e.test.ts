import { describe, expect, it } from 'vitest'
import { represent, useCargo } from './testing/cargo.ts'

const { table, rows, send } = useCargo()

describe('upsert', () => {
  it('merges on the primary key', async () => {
    const { data, status } = await table()
      .upsert([
        { id: 1, label: 'Green tea' },
        { id: 50, label: 'New' },
      ])
      .select('id,label,sku')
    expect(status).toBe(201)
    expect(data).toEqual([
      { id: 1, label: 'Green tea', sku: 'T' },
      { id: 50, label: 'New', sku: null },
    ])
  })

  it('is 200 when every row was there already', async () => {
    const { status, headers } = await send(
      'POST',
      '/cargo',
      { id: 1, label: 'Green tea' },
      {
        Prefer: 'resolution=merge-duplicates',
      },
    )
    expect([status, headers.get('preference-applied')]).toEqual([200, 'resolution=merge-duplicates'])
  })

  it('ignores duplicates', async () => {
    const { data } = await table()
      .upsert(
        [
          { id: 1, label: 'Ignored' },
          { id: 51, label: 'New' },
        ],
        { ignoreDuplicates: true },
      )
      .select('id,label')
    expect(data).toEqual([{ id: 51, label: 'New' }])
    expect(await rows('label', 'id = 1')).toEqual([{ label: 'Tea' }])
  })

  it('merges on other unique columns', async () => {
    const { data } = await table().upsert({ sku: 'S', label: 'Raw silk' }, { onConflict: 'sku' }).select('id,label')
    expect(data).toEqual([{ id: 2, label: 'Raw silk' }])
    const none = await table().upsert({ sku: 'S', label: 'x' }, { onConflict: 'label' })
    expect(none.error?.code).toBe('42P10')
  })

  it('merges with defaults for missing columns, which lets identities be made', async () => {
    const { data, error } = await table()
      .upsert([{ id: 1, label: 'Tea 2' }, { label: 'Fresh' }], { defaultToNull: false })
      .select('id,label')
    expect(error).toBeNull()
    expect(data).toEqual([
      { id: 1, label: 'Tea 2' },
      { id: 11, label: 'Fresh' },
    ])
  })

  it('of a table without a key is a plain insert', async () => {
    const { status } = await send('POST', '/log', { entry: 'x' }, { Prefer: 'resolution=merge-duplicates' })
    expect(status).toBe(201)
  })

  it('PUT puts one row at its key', async () => {
    const fresh = await send('PUT', '/slots?row=eq.5&place=eq.5', { row: 5, place: 5, holder: 'a' })
    expect([fresh.status, fresh.text]).toEqual([204, ''])
    const again = await send('PUT', '/slots?row=eq.5&place=eq.5', { row: 5, place: 5, holder: 'b' }, represent)
    expect([again.status, again.body]).toEqual([200, [{ row: 5, place: 5, holder: 'b' }]])
    const made = await send('PUT', '/slots?row=eq.6&place=eq.6', [{ row: 6, place: 6, holder: 'c' }], represent)
    expect(made.status).toBe(201)
  })

  it.each([
    ['without a filter', '/slots', { row: 1, place: 1, holder: 'x' }, 405, 'PGRST105'],
    ['with half a key', '/slots?row=eq.1', { row: 1, place: 1, holder: 'x' }, 405, 'PGRST105'],
    ['with another operator', '/slots?row=eq.1&place=gt.1', { row: 1, place: 1, holder: 'x' }, 405, 'PGRST105'],
    [
      'with another column',
      '/slots?row=eq.1&place=eq.1&holder=eq.x',
      { row: 1, place: 1, holder: 'x' },
      405,
      'PGRST105',
    ],
    ['with a limit', '/slots?row=eq.1&place=eq.1&limit=1', { row: 1, place: 1, holder: 'x' }, 400, 'PGRST114'],
    ['with another key in the body', '/slots?row=eq.1&place=eq.1', { row: 1, place: 2, holder: 'x' }, 400, 'PGRST115'],
  ])('PUT %s is refused', async (_case, path, body, status, code) => {
    const answer = await send('PUT', path, body)
    expect([answer.status, answer.body]).toMatchObject([status, { code }])
  })
})
