import { describe, expect, it } from 'vitest'
import { represent, useCargo } from './testing/cargo.ts'

const { api, table, rows, send } = useCargo()

describe('insert', () => {
  it('answers 201 with nothing, and defaults apply', async () => {
    const { status, data, error } = await table().insert({ label: 'Rum' })
    expect([status, data, error]).toEqual([201, null, null])
    expect(await rows('id, label, kilos, slug', 'id >= 10')).toEqual([{ id: 10, label: 'Rum', kilos: 10, slug: 'rum' }])
  })

  it('gives the row back, whole or in part', async () => {
    const { data, status } = await table()
      .insert({ label: 'Rum', tags: ['a', 'b'], details: { dark: true } })
      .select()
    expect(status).toBe(201)
    expect(data).toEqual([
      {
        id: 10,
        label: 'Rum',
        sku: null,
        kilos: 10,
        tags: ['a', 'b'],
        details: { dark: true },
        packed_at: '2026-01-01T00:00:00+00:00',
        slug: 'rum',
      },
    ])
    expect((await table().insert({ label: 'Gin' }).select('name:label').single()).data).toEqual({ name: 'Gin' })
  })

  it('takes many rows at once', async () => {
    const { data } = await table()
      .insert([
        { label: 'A', kilos: 1 },
        { label: 'B', kilos: 2 },
      ])
      .select('label,kilos')
    expect(data).toEqual([
      { label: 'A', kilos: 1 },
      { label: 'B', kilos: 2 },
    ])
  })

  it('rows may lack columns: null by default, the default of the column when asked', async () => {
    const { data } = await table()
      .insert([{ label: 'A', kilos: 1 }, { label: 'B' }])
      .select('label,kilos')
    expect(data).toEqual([
      { label: 'A', kilos: 1 },
      { label: 'B', kilos: null },
    ])
    const missing = await table()
      .insert([{ label: 'C', kilos: 1 }, { label: 'D' }], { defaultToNull: false })
      .select('label,kilos')
    expect(missing.data).toEqual([
      { label: 'C', kilos: 1 },
      { label: 'D', kilos: 10 },
    ])
  })

  it('columns chooses which keys are written', async () => {
    const { body, headers } = await send(
      'POST',
      '/cargo?columns=label,kilos&select=label,kilos,sku',
      { label: 'A', kilos: 3, sku: 'x', other: 1 },
      represent,
    )
    expect(body).toEqual([{ label: 'A', kilos: 3, sku: null }])
    expect(headers.get('preference-applied')).toBe('return=representation')
    expect((await send('POST', '/cargo?columns=label,helicopters', { label: 'A' })).body).toEqual({
      code: 'PGRST204',
      message: "Could not find the 'helicopters' column of 'cargo' in the schema cache",
      details: null,
      hint: null,
    })
  })

  it('an unknown key is refused', async () => {
    const { error, status } = await table().insert({ label: 'A', wings: 2 })
    expect([status, error]).toMatchObject([
      400,
      { code: 'PGRST204', message: "Could not find the 'wings' column of 'cargo' in the schema cache" },
    ])
  })

  it('an empty list inserts nothing, an empty object a row of defaults', async () => {
    const none = await send('POST', '/cargo', [], represent)
    expect([none.status, none.body]).toEqual([201, []])
    await api().database.run("alter table public.cargo alter label set default 'unnamed'")
    const one = await send('POST', '/cargo?select=label,kilos', {}, represent)
    await api().database.run('alter table public.cargo alter label drop default')
    expect([one.status, one.body]).toEqual([201, [{ label: 'unnamed', kilos: 10 }]])
  })

  it('headers-only says where the new row is', async () => {
    const { status, headers, text } = await send('POST', '/cargo', { label: 'A' }, { Prefer: 'return=headers-only' })
    expect([status, text, headers.get('location'), headers.get('preference-applied')]).toEqual([
      201,
      '',
      '/cargo?id=eq.10',
      'return=headers-only',
    ])
    const two = await send('POST', '/slots', { row: 7, place: 8 }, { Prefer: 'return=headers-only' })
    expect(two.headers.get('location')).toBe('/slots?place=eq.8&row=eq.7')
  })

  it('counts when asked', async () => {
    const { headers, status } = await send('POST', '/cargo', [{ label: 'A' }, { label: 'B' }], {
      Prefer: 'count=exact',
    })
    expect([status, headers.get('content-range')]).toEqual([201, '*/2'])
    const { count } = await table().insert([{ label: 'C' }], { count: 'exact' })
    expect(count).toBe(1)
  })

  it('embeds related rows in what it gives back', async () => {
    const { data } = await api()
      .client()
      .from('items')
      .insert({ cargo_id: 2, name: 'roll' })
      .select('name,cargo(label)')
      .single()
    expect(data).toEqual({ name: 'roll', cargo: { label: 'Silk' } })
  })

  it('text that would break JSON or SQL arrives as it is', async () => {
    const label = `"quoted" 'single' \\ back ; drop table cargo; -- \u2028 \u{1f6a2}`
    const { data } = await table().insert({ label }).select('label').single()
    expect(data).toEqual({ label })
  })

  it('goes through triggers of views', async () => {
    const { status } = await send('POST', '/labels', { label: 'Pepper' })
    expect(status).toBe(201)
    expect(await rows('label', 'id >= 10')).toEqual([{ label: 'Pepper' }])
  })
})

describe('all or nothing', () => {
  it('a list with one bad row inserts none', async () => {
    const { error, status } = await table().insert([{ label: 'Good' }, { label: null }])
    expect([status, error?.code]).toEqual([400, '23502'])
    expect(await rows('id', 'id >= 10')).toEqual([])
  })

  it.each<[string, Record<string, unknown>, number, string]>([
    ['a duplicate key', { id: 1, label: 'x' }, 409, '23505'],
    ['a missing value', { label: null }, 400, '23502'],
    ['a wrong type', { label: 'x', kilos: 'many' }, 400, '22P02'],
    ['a generated column', { label: 'x', slug: 'y' }, 400, '428C9'],
  ])('%s is refused', async (_case, row, status, code) => {
    const answer = await table().insert(row)
    expect([answer.status, answer.error?.code]).toEqual([status, code])
  })

  it('a foreign key that leads nowhere is 409', async () => {
    const { status, error } = await api().client().from('items').insert({ cargo_id: 999, name: 'x' })
    expect([status, error]).toMatchObject([
      409,
      { code: '23503', details: 'Key (cargo_id)=(999) is not present in table "cargo".' },
    ])
  })
})
