import { createClient } from '@supabase/supabase-js'
import { describe, expect, it } from 'vitest'
import { represent, useCargo } from './testing/cargo.ts'

import { isOnCitus } from './testing/spread-tables.ts'
const { api, table, rows, send } = useCargo()

describe('update', () => {
  it('changes what the filters choose', async () => {
    const { status, data } = await table().update({ kilos: 1 }).lt('kilos', 500)
    expect([status, data]).toEqual([204, null])
    expect(await rows('kilos')).toEqual([{ kilos: 1 }, { kilos: 1 }, { kilos: 900 }])
  })

  it('gives back what changed, with related rows', async () => {
    const { data, status } = await table().update({ kilos: 21 }).eq('id', 1).select('kilos,items(name)')
    expect(status).toBe(200)
    expect(data).toEqual([{ kilos: 21, items: [{ name: 'chest' }, { name: 'box' }] }])
  })

  it('of nothing is no error', async () => {
    const { status, data } = await table().update({ kilos: 1 }).eq('id', 99).select()
    expect([status, data]).toEqual([200, []])
  })

  it('the filter is judged on the row before the change', async () => {
    const { data } = await table().update({ kilos: 5 }).gt('kilos', 500).select('id,kilos')
    expect(data).toEqual([{ id: 3, kilos: 5 }])
  })

  it('columns and missing values', async () => {
    await send('PATCH', '/cargo?id=eq.1&columns=kilos', { kilos: 7, label: 'not this' })
    expect(await rows('label, kilos', 'id = 1')).toEqual([{ label: 'Tea', kilos: 7 }])
    await send('PATCH', '/cargo?id=eq.1&columns=label,kilos', { label: 'Tee' }, { Prefer: 'missing=default' })
    expect(await rows('label, kilos', 'id = 1')).toEqual([{ label: 'Tee', kilos: 10 }])
  })

  it('an empty object changes nothing', async () => {
    const { status, body } = await send('PATCH', '/cargo?id=eq.1', {}, represent)
    expect([status, body]).toEqual([200, []])
    expect((await send('PATCH', '/cargo?id=eq.1', {})).status).toBe(204)
  })

  it('counts', async () => {
    const { headers, status } = await send('PATCH', '/cargo?kilos=gt.100', { kilos: 1 }, { Prefer: 'count=exact' })
    expect([status, headers.get('content-range')]).toEqual([204, '0-1/2'])
    expect((await table().update({ kilos: 2 }, { count: 'exact' }).eq('id', 1)).count).toBe(1)
  })

  it.skipIf(isOnCitus)('goes through views that Postgres can update', async () => {
    expect((await send('PATCH', '/heavy?id=eq.3', { kilos: 901 })).status).toBe(204)
    expect(await rows('kilos', 'id = 3')).toEqual([{ kilos: 901 }])
  })
})

describe('delete', () => {
  it('removes what the filters choose', async () => {
    expect((await table().delete().eq('id', 3)).status).toBe(204)
    expect(await rows('id')).toEqual([{ id: 1 }, { id: 2 }])
  })

  it('gives back what went, with related rows as they were', async () => {
    const { data, status } = await api().client().from('items').delete().eq('name', 'bale').select('name,cargo(label)')
    expect([status, data]).toEqual([200, [{ name: 'bale', cargo: { label: 'Silk' } }]])
  })

  it('counts', async () => {
    expect((await table().delete({ count: 'exact' }).gt('id', 0)).count).toBe(3)
  })
})

/** The client has `maxAffected` for those who say that their server knows it. */
type Modern = {
  __InternalSupabase: { PostgrestVersion: '14' }
  public: {
    Tables: {
      cargo: {
        Row: { id: number; kilos: number }
        Insert: { label: string }
        Update: { kilos: number }
        Relationships: []
      }
    }
    Views: { [_ in never]: never }
    Functions: { [_ in never]: never }
  }
}

describe('max-affected', () => {
  it('undoes a change that touches more rows, with handling=strict alone', async () => {
    const { status, body } = await send('DELETE', '/cargo?id=gt.0', undefined, {
      Prefer: 'handling=strict, max-affected=2',
    })
    expect([status, body]).toEqual([
      400,
      {
        code: 'PGRST124',
        message: 'Query result exceeds max-affected preference constraint',
        details: 'The query affects 3 rows',
        hint: null,
      },
    ])
    expect(await rows('id')).toHaveLength(3)
    const update = await send('PATCH', '/cargo?id=gt.0', { kilos: 0 }, { Prefer: 'max-affected=2, handling=strict' })
    expect(update.status).toBe(400)
    expect(await rows('id', 'kilos = 0')).toEqual([])
    const fits = await send('DELETE', '/cargo?id=eq.3', undefined, { Prefer: 'handling=strict, max-affected=2' })
    expect([fits.status, fits.headers.get('preference-applied')]).toEqual([204, 'handling=strict, max-affected=2'])
    expect((await send('DELETE', '/cargo?id=gt.0', undefined, { Prefer: 'max-affected=1' })).status).toBe(204)
  })

  it('of the client', async () => {
    const client = createClient<Modern>(api().url, api().keys.anonKey)
    const { error } = await client.from('cargo').update({ kilos: 0 }).gt('id', 0).maxAffected(1)
    expect(error?.code).toBe('PGRST124')
    expect((await client.from('cargo').update({ kilos: 0 }).eq('id', 1).maxAffected(1)).error).toBeNull()
  })
})

describe('one object', () => {
  it('a change of several rows that must be one is undone', async () => {
    const accept = { Accept: 'application/vnd.pgrst.object+json', ...represent }
    const { status, body } = await send('PATCH', '/cargo?kilos=gt.100', { kilos: 1 }, accept)
    expect([status, body]).toMatchObject([406, { code: 'PGRST116', details: 'The result contains 2 rows' }])
    expect(await rows('kilos', 'id > 1')).toEqual([{ kilos: 150 }, { kilos: 900 }])
    const { error } = await table().delete().eq('id', 99).select().single()
    expect(error?.code).toBe('PGRST116')
  })
})
