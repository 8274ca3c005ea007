import { expect, test } from 'vitest'
import { cookiesJson, requestSettings, searchPath } from './request-settings.ts'

const caller = { role: 'authenticated', claims: { sub: 'ada' }, claimsJson: '{"sub":"ada"}' }

test('a request tells its claims, subject, method, path, headers without cookies, and cookies', () => {
  const headers = { accept: '*/*', cookie: 'a=1; b=2' }
  expect(Object.fromEntries(requestSettings({ caller, method: 'GET', path: '/rest/v1/x', headers }))).toEqual({
    'request.jwt.claims': '{"sub":"ada"}',
    'request.jwt.claim.sub': 'ada',
    'request.method': 'GET',
    'request.path': '/rest/v1/x',
    'request.headers': '{"accept":"*/*"}',
    'request.cookies': '{"a":"1","b":"2"}',
  })
})

test('a caller without a subject sets an empty one, so that none of an earlier request shows', () => {
  const anonymous = { role: 'anon', claims: {}, claimsJson: '{}' }
  const settings = requestSettings({ caller: anonymous, method: 'GET', path: '/', headers: {} })
  expect(settings).toContainEqual(['request.jwt.claim.sub', ''])
})

test('cookies without a value are left out, and __proto__ is a name like any other', () => {
  expect(cookiesJson('a; __proto__=x; =y')).toBe('{"__proto__":"x"}')
  expect(cookiesJson(undefined)).toBe('{}')
})

test('the schema of the request comes before all extra ones; names are quoted', () => {
  expect(searchPath('a"b', { extraSearchPath: ['public', 'a"b'] })).toBe('"a""b", "public", "a""b"')
})
