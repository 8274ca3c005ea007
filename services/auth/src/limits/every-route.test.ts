import { expect, test } from 'vitest'
import { routes } from '../routes.ts'

/** What strangers may call as often as they like, and why that costs nobody else anything. Admins have a key. */
const unlimited: Readonly<Record<string, string>> = {
  'GET /health': 'says the same to everybody, from memory',
  'GET /settings': 'says the same to everybody, from memory',
  'GET /.well-known/jwks.json': 'says the same to everybody, from memory',
  'POST /sso': 'refuses everybody, from memory',
  'GET /user': 'reads who shows a token of ours, by key, as every call with a session does',
  'GET /factors/recovery_codes': 'counts the few codes of who is signed in',
  'GET /passkeys': 'reads the few passkeys of who is signed in',
  'DELETE /factors/:factor_id': 'takes away what a limited call has added',
  'DELETE /passkeys/:passkey_id': 'takes away what a limited call has added',
  'DELETE /user/identities/:identity_id': 'takes away what a limited call has added',
}

const nameOf = ({ method, path }: { readonly method: string; readonly path: string }): string => `${method} ${path}`
const open = routes.filter(({ who, isLimited }) => who !== 'admin' && !isLimited).map(nameOf)

test('every endpoint for strangers has a limit, or a reason why it needs none', () => {
  expect(routes.some(({ isLimited }) => isLimited)).toBe(true)
  expect(open.filter((name) => !Object.hasOwn(unlimited, name))).toEqual([])
})

test('no reason is given for an endpoint that is limited or gone', () => {
  expect(Object.keys(unlimited).filter((name) => !open.includes(name))).toEqual([])
})
