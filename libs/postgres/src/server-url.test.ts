import { expect, test } from 'vitest'
import { atServer, currentUrl, isServer } from './server-url.ts'

const url = 'postgres://app:of%2Fapp@one.internal:5432/db?sslmode=verify-full'

test.each([
  ['two.internal:6432', 'postgres://app:of%2Fapp@two.internal:6432/db?sslmode=verify-full'],
  ['two.internal', 'postgres://app:of%2Fapp@two.internal:5432/db?sslmode=verify-full'],
  ['[::1]:5433', 'postgres://app:of%2Fapp@[::1]:5433/db?sslmode=verify-full'],
  ['%2Ftmp%2Fpg:5432', 'postgres://app:of%2Fapp@%2Ftmp%2Fpg:5432/db?sslmode=verify-full'],
])('the same login and database at %s', (server, moved) => expect(atServer(url, server)).toBe(moved))

test('a host in the query would win, so it goes', () => {
  expect(atServer('postgres://app@localhost/db?host=one&port=1', 'two:2')).toBe('postgres://app@two:2/db')
})

test.each(['', 'a b', 'host/db', 'user@host', 'postgres://host', 'host:port', 'a,b', 'host:99999'])(
  '%j is no server',
  (text) => expect(isServer(text)).toBe(false),
)

test('who is asked for the address is asked each time', () => {
  const moves = ['one', 'two']
  const next = () => moves.shift()!
  expect([currentUrl(next), currentUrl(next), currentUrl('three')]).toEqual(['one', 'two', 'three'])
})
