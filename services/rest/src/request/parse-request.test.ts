import { describe, expect, it } from 'vitest'
import type { Refusal } from '@pando/core/refusal'
import type { RawRequest } from './parse-request.ts'
import { parseRequest } from './parse-request.ts'

const config = { schemas: ['public', 'personal'] }

function parse(line: string, headers: Record<string, string> = {}, schemas = config.schemas) {
  const [method = '', url = ''] = line.split(' ')
  const [path = '', rawQuery = ''] = url.split('?')
  const raw: RawRequest = { method, path, rawQuery, header: (name) => headers[name] }
  return parseRequest(raw, { schemas })
}

describe('the path', () => {
  it.each([
    ['GET /', { kind: 'root' }],
    ['GET /items', { kind: 'relation', name: { schema: 'public', name: 'items' } }],
    ['GET /Order%20Items+', { kind: 'relation', name: { schema: 'public', name: 'Order Items+' } }],
    ['POST /rpc/%D9%85', { kind: 'routine', name: { schema: 'public', name: 'م' } }],
    ['GET /rpc', { kind: 'relation', name: { schema: 'public', name: 'rpc' } }],
  ])('of %s names its target', (line, target) => {
    expect(parse(line).target).toEqual(target)
  })

  it.each([
    ['GET /items/', 'PGRST125', 404],
    ['GET /items/1', 'PGRST125', 404],
    ['GET /rpc/', 'PGRST125', 404],
    ['GET /rpc/a/b', 'PGRST125', 404],
    ['GET //items', 'PGRST125', 404],
    ['GET /a%00b', 'PGRST125', 404],
    ['TRACE /items', 'PGRST117', 405],
    ['POST /', 'PGRST117', 405],
    ['DELETE /rpc/add', 'PGRST101', 405],
    ['GET /items?id=5', 'PGRST100', 400],
    ['POST /rpc/add?a=5', 'PGRST100', 400],
    ['PUT /items?id=eq.1&limit=1', 'PGRST114', 400],
    ['PUT /items?id=eq.1&offset=1', 'PGRST114', 400],
  ])('%s is refused with %s', (line, code, status) => {
    const expected: unknown = expect.objectContaining({ code, status })
    expect(() => parse(line)).toThrow(expected as Refusal)
  })
})

describe('the schema', () => {
  it('is the one of the profile header that belongs to the method', () => {
    const headers = { 'accept-profile': 'personal', 'content-profile': 'public' }
    expect(parse('GET /items', headers)).toMatchObject({
      profile: 'personal',
      target: { name: { schema: 'personal' } },
    })
    expect(parse('PATCH /items', headers)).toMatchObject({ profile: 'public', target: { name: { schema: 'public' } } })
  })

  it('is the first one without a header, negotiated only if there are several', () => {
    expect(parse('GET /items').profile).toBe('public')
    expect(parse('GET /items', {}, ['api'])).toMatchObject({ profile: undefined, target: { name: { schema: 'api' } } })
  })

  it('must be exposed', () => {
    const expected: unknown = expect.objectContaining({ code: 'PGRST106', status: 406 })
    expect(() => parse('GET /items', { 'accept-profile': 'secret' })).toThrow(expected as Refusal)
  })
})

it('a request carries its query, preferences, range and media types', () => {
  const headers = { prefer: 'count=exact', range: '0-9', accept: 'text/csv', 'content-type': 'text/xml' }
  const request = parse('GET /rpc/add?a=1&b=eq.2', headers)
  expect(request).toMatchObject({
    method: 'GET',
    query: { args: [{ name: 'a' }], filters: [{ path: [] }] },
    preferences: { count: 'exact' },
    range: { first: 0, last: 9 },
    accept: [{ essence: 'text/csv' }],
    contentType: { essence: 'text/xml' },
  })
  expect(parse('HEAD /items', headers).range).toBeUndefined()
})
