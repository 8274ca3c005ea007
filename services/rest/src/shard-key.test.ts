import { describe, expect, test } from 'vitest'
import { parseRequest } from './request/parse-request.ts'
import { findShardKey, withShardKey } from './shard-key.ts'

const shardKeys = new Map([['public\0boats', 'tenant_id']])
const parse = (url: string) => {
  const [path = '', rawQuery = ''] = url.split('?')
  return parseRequest({ method: 'GET', path, rawQuery, header: () => undefined }, { schemas: ['public'] })
}
const keyOf = (url: string, ofCaller?: string): string | undefined => {
  const { query } = withShardKey(parse(url), { shardKeys }, ofCaller)
  return query.shardKeySlot === undefined ? undefined : query.values[query.shardKeySlot]
}

describe('the shard key of a request', () => {
  test.each([
    ['is that of its caller', '/boats?id=eq.5', 'mine'],
    ['is that which it asks for, if it does', '/boats?id=eq.5&tenant_id=eq.theirs', 'theirs'],
    ['is none that is only excluded', '/boats?tenant_id=neq.theirs', 'mine'],
    ['is none that is negated', '/boats?tenant_id=not.eq.theirs', 'mine'],
    ['is none of several', '/boats?tenant_id=eq(any).{a,b}', 'mine'],
    ['is none of an alternative', '/boats?or=(tenant_id.eq.theirs,id.eq.5)', 'mine'],
    ['is none inside a column', '/boats?tenant_id->>x=eq.theirs', 'mine'],
    ['is none of what is embedded', '/boats?select=*,trips(*)&trips.tenant_id=eq.theirs', 'mine'],
    ['is a column like any other where a table is not spread', '/news?tenant_id=eq.theirs', 'mine'],
  ])('%s', (_, url, key) => {
    expect(keyOf(url, 'mine')).toBe(key)
  })

  test('is not there when nobody has one, and without Citus', () => {
    expect(keyOf('/boats?id=eq.5')).toBeUndefined()
    const request = parse('/boats?tenant_id=eq.theirs')
    expect(withShardKey(request, {}, 'mine')).toBe(request)
  })

  test('of a caller is a value of its own, and its statement another one', () => {
    const request = parse('/boats?id=eq.5')
    const { query } = withShardKey(request, { shardKeys }, 'mine')
    expect(query.values).toEqual(['5', 'mine'])
    expect(query.shape).not.toBe(request.query.shape)
  })
})

describe('the claim with the key', () => {
  const claims = { tenant: 'a', number: 7, app_metadata: { tenant_id: 'b', list: ['c'] }, 'a.b': 'd' }
  test.each([
    ['tenant', 'a'],
    ['number', '7'],
    ['app_metadata.tenant_id', 'b'],
    ['app_metadata', undefined],
    ['app_metadata.list', undefined],
    ['app_metadata.none', undefined],
    ['tenant.length', undefined],
    ['constructor.name', undefined],
    ['toString', undefined],
    [null, undefined],
  ])('%s', (path, key) => {
    expect(findShardKey(claims, path)).toBe(key)
  })
})
