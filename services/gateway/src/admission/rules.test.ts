import { classNames } from '@pando/admission/classes'
import { expect, it } from 'vitest'
import { type Asked, builtInRules, bulkBytesMin, createClassify, type Rule } from './rules.ts'

const classOf = (asked: Partial<Asked>, own: readonly Rule[] = []): string => {
  const { url = '/rest/v1/posts' } = asked
  const prefix = url.split('/').slice(0, 3).join('/')
  const classify = createClassify(prefix, [...own, ...builtInRules])
  const rank = classify({ method: 'GET', url, bodyBytes: 0, accept: undefined, role: () => undefined, ...asked })
  return rank === undefined ? 'apart' : classNames[rank]!
}

it.each([
  ['a refresh', { method: 'POST', url: '/auth/v1/token?grant_type=refresh_token' }, 'critical'],
  ['a code exchanged for a session', { method: 'POST', url: '/auth/v1/token?grant_type=pkce' }, 'critical'],
  [
    'a password, which has an admission of its own',
    { method: 'POST', url: '/auth/v1/token?grant_type=password' },
    'apart',
  ],
  ['a new account', { method: 'POST', url: '/auth/v1/signup' }, 'apart'],
  ['the keys that tokens are verified with', { url: '/auth/v1/.well-known/jwks.json' }, 'critical'],
  ['the own account', { url: '/auth/v1/user' }, 'reads'],
  ['a payment', { method: 'POST', url: '/payments/v1/charges' }, 'critical'],
  ['an event', { method: 'POST', url: '/analytics/v1/events' }, 'analytics'],
  ['a row', {}, 'reads'],
  ['a new row', { method: 'POST' }, 'writes'],
  ['rows as CSV', { accept: 'text/csv' }, 'bulk'],
  ['a large body', { method: 'POST', bodyBytes: bulkBytesMin }, 'bulk'],
] as const)('%s is as important as it should be', (_name, asked, expected) => {
  expect(classOf(asked)).toBe(expected)
})

it('rules of the installation come first, and may ask for a role', () => {
  const own: readonly Rule[] = [
    { path: '/rest/v1/clicks', method: 'POST', class: 'analytics' },
    { path: '/rest/v1/', role: 'anon', class: 'bulk' },
  ]
  expect(classOf({ method: 'POST', url: '/rest/v1/clicks' }, own)).toBe('analytics')
  expect(classOf({ method: 'GET', url: '/rest/v1/clicks' }, own)).toBe('reads')
  expect(classOf({ role: () => 'anon' }, own)).toBe('bulk')
  expect(classOf({ role: () => 'authenticated' }, own)).toBe('reads')
})
