import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { systemClock } from '@pando/core/clock'
import { readConfiguration } from '@pando/config/read-configuration'
import { createAuthenticator } from '@pando/http/auth/authenticator'
import { jwtOptions } from '@pando/http/auth/config'
import { createKeyRing, toKeys } from '@pando/http/auth/key-ring'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'

import { ensureKeys, rotateKeys } from './keys.ts'
import { readSigningKeys } from './signing-keys.ts'

const now = new Date('2026-01-31T09:45:00Z')
let root: string

beforeEach(async () => {
  root = await makeTemporaryFolder('pando-keys-')
})
afterEach(() => rmSync(root, { recursive: true }))

it('gives a supabase/ project the well-known keys and keeps no file', async () => {
  const keys = await ensureKeys({ kind: 'supabase', root, files: root }, now)
  expect(keys.jwtSecret).toBe('super-secret-jwt-token-with-at-least-32-characters-long')
  expect(keys.anonKey).toMatch(/\.CRXP1A7WOeoJeXxjNni43kdQwgnWNReilDMblYTn_I0$/)
  expect(keys.serviceRoleKey).toMatch(/\.EGIM96RAZx35lJzdJsyH-qQwv8Hdp7fsn3W0YpN81IU$/)
})

it('makes random keys once for a pando/ project, readable by the owner only and ignored by git', async () => {
  const keys = await ensureKeys({ kind: 'pando', root, files: root }, now)
  expect(await ensureKeys({ kind: 'pando', root, files: root }, now)).toEqual(keys)
  expect(statSync(join(root, '.pando', 'keys.json')).mode & 0o777).toBe(0o600)
  expect(readFileSync(join(root, '.pando', '.gitignore'), 'utf8')).toBe('*\n')
})

it('makes other keys when rotated', async () => {
  const before = await ensureKeys({ kind: 'pando', root, files: root }, now)
  const after = await rotateKeys(root, now)
  expect(Object.values(after).filter((key) => Object.values(before).includes(key))).toEqual([])
})

it('lets config.toml win, and signs the JWT keys with a secret that stands there', async () => {
  const table = { auth: { jwt_secret: 'a'.repeat(32), secret_key: 'sb_secret_mine' } }
  const keys = await ensureKeys({ kind: 'supabase', root, files: root, file: { table } }, now)
  expect(keys).toMatchObject({ jwtSecret: 'a'.repeat(32), secretKey: 'sb_secret_mine' })
  expect(keys.anonKey).not.toBe((await ensureKeys({ kind: 'supabase', root, files: root }, now)).anonKey)
  expect(await ensureKeys({ kind: 'supabase', root, files: root, file: { table } }, new Date(0))).toEqual(keys)
})

it('refuses a secret that is too short, and a damaged file rather than replacing it', async () => {
  const file = { table: { auth: { jwt_secret: 'short' } } }
  await expect(ensureKeys({ kind: 'supabase', root, files: root, file }, now)).rejects.toThrow(
    'auth.jwt_secret in config.toml must have at least 32 bytes, but has 5',
  )
  await ensureKeys({ kind: 'pando', root, files: root }, now)
  writeFileSync(join(root, '.pando', 'keys.json'), '{"jwtSecret":1}')
  await expect(ensureKeys({ kind: 'pando', root, files: root }, now)).rejects.toThrow('it lacks jwtSecret, anonKey')
})

/** As `supabase gen signing-key` writes one. */
const signingKey = (kid: string) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const members = { kid, use: 'sig', key_ops: ['sign', 'verify'], alg: 'ES256', ext: true }
  return { ...privateKey.export({ format: 'jwk' }), ...members }
}
const withSigningKeys = (text: string) => {
  writeFileSync(join(root, 'signing_keys.json'), text)
  const table = { auth: { signing_keys_path: './signing_keys.json' } }
  return { kind: 'supabase', root, files: root, file: { table } } as const
}

it('signs the JWT keys with the first key of signing_keys_path, and the server accepts what all of them sign', async () => {
  const project = withSigningKeys(JSON.stringify([signingKey('new'), signingKey('old')]))
  const keys = await ensureKeys(project, now)
  const [header, payload] = keys.anonKey.split('.').map((part) => Buffer.from(part, 'base64url').toString())
  expect([header, payload]).toEqual([
    '{"alg":"ES256","kid":"new","typ":"JWT"}',
    '{"iss":"supabase-demo","role":"anon","exp":1983812996}',
  ])
  const { jwt: values } = readConfiguration({ jwt: jwtOptions }, {})
  const ring = createKeyRing(toKeys(keys, { signingKeys: readSigningKeys(project) }))
  const authenticate = createAuthenticator({ keys: ring, clock: systemClock, values })
  expect(await authenticate({ apikey: keys.serviceRoleKey })).toMatchObject({ role: 'service_role' })
  expect(ring.candidates('ES256', 'old')).toHaveLength(1)
  expect(
    await authenticate({ apikey: (await ensureKeys({ ...project, file: undefined }, now)).anonKey }),
  ).toMatchObject({
    role: 'anon',
  })
})

it('takes signing keys from the environment first, and none from an empty file', async () => {
  const project = withSigningKeys('[]')
  expect(readSigningKeys(project)).toBeUndefined()
  const text = JSON.stringify([signingKey('mine')])
  expect(readSigningKeys({ ...project, environment: { PANDO_JWT_SIGNING_KEYS: text } })).toBe(text)
})

it.each([
  ['nonsense', /signing_keys\.json cannot be used: [^"]* not JSON\.$/],
  ['{"keys":[]}', /must be a JSON array/],
  ['[{"kty":"oct","k":"c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2gtZm9yLWhtYWM"}]', /is a secret/],
  [JSON.stringify([{ ...signingKey('half'), d: undefined }]), /"half" is public/],
])('refuses signing keys that cannot sign: %s', async (text, message) => {
  await expect(ensureKeys(withSigningKeys(text), now)).rejects.toThrow(message)
})

it('says which file of signing keys is missing', async () => {
  const table = { auth: { signing_keys_path: './nowhere.json' } }
  await expect(ensureKeys({ kind: 'supabase', root, files: root, file: { table } }, now)).rejects.toThrow(
    `auth.signing_keys_path in config.toml names ${join(root, 'nowhere.json')}, which cannot be read.`,
  )
})
