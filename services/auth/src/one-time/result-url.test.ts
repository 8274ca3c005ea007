import { Refusal } from '@pando/core/refusal'
import { expect, test } from 'vitest'
import { toErrorUrl, toMessageUrl, toResultUrl } from './result-url.ts'

const session = {
  access_token: 'a.b.c',
  token_type: 'bearer',
  expires_in: 3600,
  expires_at: 1_700_003_600,
  refresh_token: 'r-t',
  user: {},
} as const

test('tokens go into the fragment and leave the query as it is', () => {
  expect(toResultUrl('https://roam.example/a?b=c', { session, type: 'signup' })).toBe(
    'https://roam.example/a?b=c#access_token=a.b.c&expires_at=1700003600&expires_in=3600&refresh_token=r-t&sb=&token_type=bearer&type=signup',
  )
})

test('a code goes into the query, also of an address that only an app knows', () => {
  expect(toResultUrl('https://roam.example/a?b=c', { code: 'x/y' })).toBe('https://roam.example/a?b=c&code=x%2Fy')
  expect(toResultUrl('roam://callback', { code: 'x' })).toBe('roam://callback?code=x')
})

test.each([
  [403, 'access_denied'],
  [400, 'invalid_request'],
  [422, 'invalid_request'],
  [503, 'temporarily_unavailable'],
  [500, 'server_error'],
])('a refusal of status %i is %s', (status, error) => {
  const parts = `error=${error}&error_code=a_code&error_description=No+%26+never`
  const refusal = new Refusal('a_code', status, 'No & never')
  expect(toErrorUrl('https://roam.example/', refusal, false)).toBe(`https://roam.example/#${parts}&sb=`)
  expect(toErrorUrl('https://roam.example/', refusal, true)).toBe(`https://roam.example/?${parts}#${parts}&sb=`)
})

test('a message is told to both kinds of apps', () => {
  expect(toMessageUrl('roam://callback', 'One more', false)).toBe('roam://callback#message=One+more&sb=')
  expect(toMessageUrl('roam://callback', 'One more', true)).toBe(
    'roam://callback?message=One+more#message=One+more&sb=',
  )
})
