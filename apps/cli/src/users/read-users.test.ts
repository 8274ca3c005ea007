import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { readRecords } from './read-records.ts'
import { toNewUser } from './to-new-user.ts'

let folder: string
beforeEach(async () => {
  folder = await makeTemporaryFolder('pando-import-')
})
afterEach(() => rmSync(folder, { recursive: true }))

function read(name: string, text: string) {
  const file = join(folder, name)
  writeFileSync(file, text)
  return readRecords(file)
}

describe('a file of users', () => {
  const ada = { place: 1, fields: { email: 'ada@example.com' } }
  const bo = { place: 2, fields: { email: 'bo@example.com' } }

  it.each([
    ['an array', 'users.json', '[{"email":"ada@example.com"},{"email":"bo@example.com"}]'],
    ['an object with users', 'users.json', '{ "users": [{"email":"ada@example.com"},{"email":"bo@example.com"}] }'],
    ['an object a line', 'users.jsonl', '{"email":"ada@example.com"}\n{"email":"bo@example.com"}\n\n'],
  ])('may be %s', (_form, name, text) => {
    expect(read(name, text)).toEqual([ada, bo])
  })

  it('may be CSV, whose places are lines of the file', () => {
    expect(read('users.csv', '\uFEFFemail,name\nada@example.com,"Ada, L."\n')).toEqual([
      { place: 2, fields: { email: 'ada@example.com', name: 'Ada, L.' } },
    ])
  })

  it.each([
    ['users.jsonl', '{"email":"a@example.com"}\nnonsense\n', /line 2: /],
    ['users.json', '[1]', /user 1 is not an object/],
    ['users.csv', 'email,name\nada@example.com\n', /Invalid Record Length/],
  ])('is refused with the place of the mistake: %s', (name, text, message) => {
    expect(() => read(name, text)).toThrow(message)
  })

  it('that is not there is named', () => {
    expect(() => readRecords(join(folder, 'none.csv'))).toThrow(/none\.csv cannot be read: ENOENT/)
  })
})

describe('a user of another system', () => {
  it('of a dump of auth.users, where empty cells are nothing', () => {
    const fields = {
      id: '11111111-1111-4111-8111-111111111111',
      email: 'ada@example.com',
      phone: '',
      encrypted_password: '$2a$10$abc',
      email_confirmed_at: '2026-01-01 10:00:00+00',
      raw_user_meta_data: '{"full_name":"Ada"}',
      raw_app_meta_data: '{"role":"admin"}',
    }
    expect(toNewUser(fields, { confirmed: false })).toEqual({
      id: fields.id,
      email: fields.email,
      password_hash: '$2a$10$abc',
      email_confirm: true,
      phone_confirm: false,
      user_metadata: { full_name: 'Ada' },
      app_metadata: { role: 'admin' },
    })
  })

  it('is confirmed only where the file or the caller says so', () => {
    const confirmed = (fields: Record<string, unknown>, rule = false) =>
      toNewUser(fields, { confirmed: rule })['email_confirm']
    expect(confirmed({})).toBe(false)
    expect(confirmed({}, true)).toBe(true)
    expect(confirmed({ email_verified: 'false' }, true)).toBe(false)
    expect(confirmed({ emailVerified: true })).toBe(true)
  })

  it('is banned where it was disabled', () => {
    expect(toNewUser({ disabled: true }, { confirmed: true })['ban_duration']).toBe('876000h')
    expect(toNewUser({ disabled: false }, { confirmed: true })['ban_duration']).toBeUndefined()
  })

  it.each([
    [{ email: 3 }, 'email must be text'],
    [{ user_metadata: '[1]' }, 'user_metadata must be a JSON object'],
    [{ app_metadata: 'text' }, 'app_metadata must be a JSON object'],
  ])('is refused when a field is of no use: %j', (fields, message) => {
    expect(() => toNewUser(fields, { confirmed: true })).toThrow(message)
  })
})
