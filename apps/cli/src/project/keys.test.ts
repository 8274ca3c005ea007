import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { ensureKeys, rotateKeys } from './keys.ts'

const now = new Date('2026-01-31T09:45:00Z')
let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pando-keys-'))
})
afterEach(() => rmSync(root, { recursive: true }))

it('gives a supabase/ project the well-known keys and keeps no file', async () => {
  const keys = await ensureKeys({ kind: 'supabase', root }, now)
  expect(keys.jwtSecret).toBe('super-secret-jwt-token-with-at-least-32-characters-long')
  expect(keys.anonKey).toMatch(/\.CRXP1A7WOeoJeXxjNni43kdQwgnWNReilDMblYTn_I0$/)
  expect(keys.serviceRoleKey).toMatch(/\.EGIM96RAZx35lJzdJsyH-qQwv8Hdp7fsn3W0YpN81IU$/)
})

it('makes random keys once for a pando/ project, readable by the owner only and ignored by git', async () => {
  const keys = await ensureKeys({ kind: 'pando', root }, now)
  expect(await ensureKeys({ kind: 'pando', root }, now)).toEqual(keys)
  expect(statSync(join(root, '.pando', 'keys.json')).mode & 0o777).toBe(0o600)
  expect(readFileSync(join(root, '.pando', '.gitignore'), 'utf8')).toBe('*\n')
})

it('makes other keys when rotated', async () => {
  const before = await ensureKeys({ kind: 'pando', root }, now)
  const after = await rotateKeys(root, now)
  expect(Object.values(after).filter((key) => Object.values(before).includes(key))).toEqual([])
})

it('lets config.toml win, and signs the JWT keys with a secret that stands there', async () => {
  const table = { auth: { jwt_secret: 'a'.repeat(32), secret_key: 'sb_secret_mine' } }
  const keys = await ensureKeys({ kind: 'supabase', root, file: { table } }, now)
  expect(keys).toMatchObject({ jwtSecret: 'a'.repeat(32), secretKey: 'sb_secret_mine' })
  expect(keys.anonKey).not.toBe((await ensureKeys({ kind: 'supabase', root }, now)).anonKey)
  expect(await ensureKeys({ kind: 'supabase', root, file: { table } }, new Date(0))).toEqual(keys)
})

it('refuses a secret that is too short, and a damaged file rather than replacing it', async () => {
  const file = { table: { auth: { jwt_secret: 'short' } } }
  await expect(ensureKeys({ kind: 'supabase', root, file }, now)).rejects.toThrow(
    'auth.jwt_secret in config.toml must have at least 32 bytes, but has 5',
  )
  await ensureKeys({ kind: 'pando', root }, now)
  writeFileSync(join(root, '.pando', 'keys.json'), '{"jwtSecret":1}')
  await expect(ensureKeys({ kind: 'pando', root }, now)).rejects.toThrow('it lacks jwtSecret, anonKey')
})
