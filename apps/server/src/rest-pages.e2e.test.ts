import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApi, type Api } from './testing/start-api.ts'

let api: Api
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.stop())

describe('pages', () => {
  it('limit and offset cut, and Content-Range tells what is shown', async () => {
    const { headers, body, status } = await api.ask('/ships?select=id&order=id&limit=2&offset=1')
    expect([status, body, headers.get('content-range')]).toEqual([200, [{ id: 2 }, { id: 3 }], '1-2/*'])
    expect((await api.ask('/ships?id=eq.0')).headers.get('content-range')).toBe('*/*')
    expect((await api.ask('/ships?limit=0')).body).toEqual([])
  })

  it('range of the client is inclusive', async () => {
    const { data } = await api.client().from('ships').select('id').order('id').range(1, 2)
    expect(data).toEqual([{ id: 2 }, { id: 3 }])
  })

  it('a Range header pages too, open ended or not', async () => {
    const range = async (value: string) => {
      const { status, body, headers } = await api.ask('/ships?select=id&order=id', {
        headers: { Range: value, 'Range-Unit': 'items' },
      })
      return [status, (body as unknown[]).length, headers.get('content-range')]
    }
    expect(await range('0-1')).toEqual([200, 2, '0-1/*'])
    expect(await range('2-')).toEqual([200, 2, '2-3/*'])
    expect(await range('1-1')).toEqual([200, 1, '1-1/*'])
  })

  it('an exact count makes a part 206 and a page behind the end 416', async () => {
    const part = await api.ask('/ships?limit=3', { headers: { Prefer: 'count=exact' } })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, '0-2/4'])
    expect(part.headers.get('preference-applied')).toBe('count=exact')
    const whole = await api.ask('/ships', { headers: { Prefer: 'count=exact' } })
    expect([whole.status, whole.headers.get('content-range')]).toEqual([200, '0-3/4'])
    const behind = await api.ask('/ships?offset=10', { headers: { Prefer: 'count=exact' } })
    expect([behind.status, behind.body]).toEqual([
      416,
      {
        code: 'PGRST103',
        message: 'Requested range not satisfiable',
        details: 'An offset of 10 was requested, but there are only 4 rows.',
        hint: null,
      },
    ])
  })

  it('a lower bound above the upper one is 416', async () => {
    const { status, body } = await api.ask('/ships', { headers: { Range: '5-2' } })
    expect([status, body]).toMatchObject([
      416,
      {
        code: 'PGRST103',
        details: 'The lower boundary must be lower than or equal to the upper boundary in the Range header.',
      },
    ])
    expect((await api.ask('/ships?limit=-1')).body).toMatchObject({
      code: 'PGRST103',
      details: 'Limit should be greater than or equal to zero.',
    })
  })

  it.each(['exact', 'planned', 'estimated'] as const)('count %s arrives in the client', async (count) => {
    await api.database.run('analyze public.ships')
    const { data, count: total } = await api.client().from('ships').select('*', { count }).limit(1)
    expect(data).toHaveLength(1)
    expect(total).toBe(4)
  })

  it('a count respects the filters, and a head request has no rows', async () => {
    const { count, data, status } = await api
      .client()
      .from('ships')
      .select('*', { count: 'exact', head: true })
      .eq('hull', 'steel')
    expect([count, data, status]).toEqual([2, null, 200])
  })

  it('HEAD answers with the headers of GET', async () => {
    const get = await api.ask('/ships?limit=2')
    const head = await api.ask('/ships?limit=2', { method: 'HEAD' })
    expect(head.text).toBe('')
    expect(head.headers.get('content-range')).toBe('0-1/*')
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'))
  })
})

describe('one object', () => {
  it('single gives it, and refuses none and several', async () => {
    const one = await api.client().from('ships').select('name').eq('id', 1).single()
    expect(one.data).toEqual({ name: 'Albatross' })
    const none = await api.client().from('ships').select('name').eq('id', 0).single()
    expect([none.status, none.error]).toMatchObject([
      406,
      {
        code: 'PGRST116',
        message: 'Cannot coerce the result to a single JSON object',
        details: 'The result contains 0 rows',
      },
    ])
    const several = await api.client().from('ships').select('name').single()
    expect(several.error).toMatchObject({ code: 'PGRST116', details: 'The result contains 4 rows' })
  })

  it('maybeSingle gives null for none', async () => {
    const none = await api.client().from('ships').select('name').eq('id', 0).maybeSingle()
    expect([none.data, none.error]).toEqual([null, null])
  })

  it('nulls can be left out', async () => {
    const { data } = await api.client().from('captains').select('id,born,active').eq('id', 4).stripNulls()
    expect(data).toEqual([{ id: 4 }])
    const one = await api.ask('/captains?id=eq.4&select=id,born', {
      headers: { Accept: 'application/vnd.pgrst.object+json;nulls=stripped' },
    })
    expect([one.body, one.headers.get('content-type')]).toEqual([
      { id: 4 },
      'application/vnd.pgrst.object+json; nulls=stripped; charset=utf-8',
    ])
  })
})
