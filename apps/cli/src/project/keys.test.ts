import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { systemClock } from '@pando/core/clock'
import { readConfiguration } from '@pando/config/read-configuration'
import { createAuthenticator } from '@pando/http/auth/authenticator'
import { jwtOptions } from '@pando/http/auth/config'
import { createKeyRing, toKeys } from '@pando/http/auth/key-ring'
import { parseSigningKeys } from '@pando/http/auth/sign-jwt'
import { createTokenSigner } from '@pando/http/auth/token-signer'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'

import { ensureKeys, rotateKeys } from './keys.ts'
import { ensureSigningKeys, readSigningKeys, rotateSigningKeys } from './signing-keys.ts'

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

describe('pairs of a pando/ project', () => {
  const project = () => ({ kind: 'pando', root, files: root }) as const
  const kids = () => parseSigningKeys(ensureSigningKeys(project())!).map(({ kid }) => kid)

  it('are made once, ES256, and readable by their owner only', () => {
    const text = ensureSigningKeys(project())
    expect(parseSigningKeys(text!)).toMatchObject([{ kty: 'EC', crv: 'P-256', alg: 'ES256' }])
    expect(ensureSigningKeys(project())).toBe(text)
    expect(statSync(join(root, '.pando', 'signing-keys.json')).mode & 0o777).toBe(0o600)
  })

  it('are not made where a secret is to sign', () => {
    const file = { table: { auth: { jwt_secret: 'a'.repeat(32) } } }
    expect(ensureSigningKeys({ ...project(), file })).toBeUndefined()
    expect(ensureSigningKeys({ kind: 'supabase', root, files: root })).toBeUndefined()
  })

  it('leave the legacy keys alone, which outlive them', async () => {
    const { anonKey } = await ensureKeys(project(), now)
    ensureSigningKeys(project())
    expect((await ensureKeys(project(), now)).anonKey).toBe(anonKey)
  })

  it('rotate: the new one signs, the old one verifies until its last token has ended, then it is gone', async () => {
    const clock = { now: () => now.getTime(), monotonic: () => 0 }
    const ring = createKeyRing(toKeys({}, { signingKeys: ensureSigningKeys(project()) }))
    const { jwt: values } = readConfiguration({ jwt: jwtOptions }, {})
    const authenticate = createAuthenticator({ keys: ring, clock, values })
    const signer = createTokenSigner(ring, clock)
    const [old] = kids()
    const before = await signer.sign({ role: 'authenticated', sub: 'a' })

    rotateSigningKeys(project(), { now, tokenLifeMs: 3_600_000 })
    ring.replace(toKeys({}, { signingKeys: ensureSigningKeys(project()) }))
    expect(kids()).toEqual([expect.not.stringMatching(old!), old])
    expect(signer.publicKeys().map(({ kid }) => kid)).toEqual(kids())
    const after = await signer.sign({ role: 'authenticated', sub: 'a' })
    for (const token of [before, after])
      expect(await authenticate({ authorization: `Bearer ${token}` })).toMatchObject({ role: 'authenticated' })

    const anHourLater = new Date(now.getTime() + 3_600_000 + 301_000)
    clock.now = () => anHourLater.getTime()
    expect(() => authenticate({ authorization: `Bearer ${before}` })).toThrow('No suitable key')
    expect(signer.publicKeys().map(({ kid }) => kid)).toEqual([kids()[0]])
    rotateSigningKeys(project(), { now: anHourLater, tokenLifeMs: 3_600_000 })
    expect(kids()).toHaveLength(2)
    expect(kids()).not.toContain(old)
  })

  it('are bounded', () => {
    const rotate = () => rotateSigningKeys(project(), { now, tokenLifeMs: 1000 })
    for (let count = 1; count < 16; count++) rotate()
    expect(rotate).toThrow('16 keys verify still')
  })
})
