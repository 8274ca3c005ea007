import { describe, expect, it } from 'vitest'
import { represent, useCargo } from './testing/cargo.ts'

const { table, rows, send } = useCargo()

describe('bodies', () => {
  const csv = { 'Content-Type': 'text/csv' }
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

  it('CSV: a header line, quotes, NULL', async () => {
    const body = 'label,kilos,sku\nPepper,3,NULL\n"Cloves, ""dry""",4,\n'
    const { status } = await send('POST', '/cargo', body, csv)
    expect(status).toBe(201)
    expect(await rows('label, kilos, sku', 'id >= 10')).toEqual([
      { label: 'Pepper', kilos: 3, sku: null },
      { label: 'Cloves, "dry"', kilos: 4, sku: '' },
    ])
  })

  it('CSV whose lines differ in length is refused', async () => {
    const { status, body } = await send('POST', '/cargo', 'label,kilos\nPepper\n', csv)
    expect([status, body]).toMatchObject([
      400,
      { code: 'PGRST102', message: 'All lines must have same number of fields' },
    ])
  })

  it('forms', async () => {
    const { status, body } = await send('POST', '/cargo?select=label,kilos', 'label=Star+anise&kilos=2', {
      ...form,
      ...represent,
    })
    expect([status, body]).toEqual([201, [{ label: 'Star anise', kilos: 2 }]])
    expect((await send('PATCH', '/cargo?id=eq.1', 'kilos=3', form)).status).toBe(204)
    expect(await rows('kilos', 'id = 1')).toEqual([{ kilos: 3 }])
  })

  it.each([
    ['nothing', '', 'Empty or invalid json'],
    ['broken JSON', '{"label": ', 'Empty or invalid json'],
    ['a list with unequal keys', '[{"label":"a"},{"kilos":1}]', 'All object keys must match'],
  ])('%s is refused', async (_case, text, message) => {
    const { status, body } = await send('POST', '/cargo', text, { 'Content-Type': 'application/json' })
    expect([status, body]).toEqual([400, { code: 'PGRST102', message, details: null, hint: null }])
  })

  it('an unknown type of body is refused', async () => {
    const { status, body } = await send('POST', '/cargo', 'x', { 'Content-Type': 'application/yaml' })
    expect([status, body]).toMatchObject([
      400,
      { code: 'PGRST102', message: 'Content-Type not acceptable: application/yaml' },
    ])
  })

  it('large lists are one statement', async () => {
    const many = Array.from({ length: 20_000 }, (_, index) => ({ label: `Crate ${index}`, kilos: index }))
    const { error, count } = await table().insert(many, { count: 'exact' })
    expect([error, count]).toEqual([null, 20_000])
  })
})
