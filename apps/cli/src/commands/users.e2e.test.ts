import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { describe, expect, it } from 'vitest'

import { runPando } from '../testing/run-pando.ts'
import { useDev } from '../testing/use-dev.ts'

const { cwd, connect, ready } = useDev()

const users = (...args: string[]) => runPando(['users', ...args], { cwd: cwd() })
async function asJson(...args: string[]): Promise<Record<string, unknown>> {
  return JSON.parse((await users(...args, '--json')).out) as Record<string, unknown>
}

const password = 'correct horse battery'

async function signUp(email: string) {
  const client = connect()
  const { data, error } = await client.auth.signUp({ email, password })
  expect(error).toBeNull()
  return { client, id: data.user!.id }
}

describe('pando users', () => {
  it('lists who is there, the newest first, as a table and as JSON', async () => {
    await signUp('ada@example.com')
    const { id } = await signUp('bo@example.com')
    const { code, out } = await users('list')
    expect(code).toBe(0)
    expect(out).toMatch(/^Id +Who +State +Role +Since +Last here\n/)
    expect(out).toMatch(new RegExp(`^${id}  bo@example.com +active[^]*ada@example.com[^]*2 users\n$`, 'm'))
    expect(await asJson('list', '--filter', 'bo@')).toMatchObject({
      total: 1,
      users: [{ id, email: 'bo@example.com' }],
    })
    expect((await users('list', '--limit', '1', '--page', '2')).out).toContain('1 of 2 users, page 2')
  })

  it('bans, lets in again, and signs out', async () => {
    const { client, id } = await signUp('cleo@example.com')
    expect(await asJson('ban', 'Cleo@Example.com', '--for', '24h')).toMatchObject({
      id,
      banned_until: expect.any(String),
    })
    expect((await client.auth.refreshSession()).error).not.toBeNull()
    const banned = await connect().auth.signInWithPassword({ email: 'cleo@example.com', password })
    expect(banned.error?.code).toBe('user_banned')
    expect((await users('unban', id)).out).toBe('cleo@example.com may sign in again.\n')
    const again = connect()
    expect((await again.auth.signInWithPassword({ email: 'cleo@example.com', password })).error).toBeNull()
    expect((await users('sign-out', 'cleo@example.com')).code).toBe(0)
    expect((await again.auth.refreshSession()).error).not.toBeNull()
  })

  it('gives a role that is in the next token, and takes it away', async () => {
    const { client, id } = await signUp('dora@example.com')
    expect(await asJson('make-admin', id)).toMatchObject({ id, role: 'admin' })
    await client.auth.refreshSession()
    const role = async () => (await client.auth.getClaims()).data?.claims.app_metadata?.['role'] as unknown
    expect(await role()).toBe('admin')
    await users('make-admin', id, '--revoke')
    await client.auth.refreshSession()
    expect(await role()).toBeUndefined()
  })

  it('invites by a mail', async () => {
    expect(await asJson('invite', 'gus@example.com')).toEqual({ invited: 'gus@example.com', id: expect.any(String) })
    const box = await fetch(`${ready('API_URL')}/mailbox/messages?to=gus@example.com`)
    expect(await box.json()).toHaveLength(1)
    expect((await asJson('list', '--filter', 'gus@'))['users']).toMatchObject([{ invited_at: expect.any(String) }])
    expect(await users('invite', 'gus at example')).toMatchObject({
      code: 6,
      err: expect.stringContaining('Unable to validate email address'),
    })
  })

  it('imports users with their hashes, and only once', async () => {
    const bcrypt = '$2b$10$CwTycUXWue0Thq9StjUM0uJ8gJ7Hj2w5zS1yZC0q6Yq3q5zq9xg0a'
    const rows = [
      'email,password_hash,email_confirmed,user_metadata',
      `eve@example.com,${bcrypt},true,"{""full_name"":""Eve""}"`,
      'nobody,,,',
    ]
    writeFileSync(join(cwd(), 'users.csv'), `${rows.join('\n')}\n`)
    const first = await users('import', 'users.csv')
    expect(first).toMatchObject({ code: 2, out: '' })
    expect(first.err).toMatch(/1 user of users.csv could not be imported \(1 user created, 0 there already\)/)
    expect(first.err).toMatch(/users.csv, 3: .*Unable to validate email address/)
    writeFileSync(join(cwd(), 'users.csv'), `${rows.slice(0, 2).join('\n')}\n`)
    expect(await asJson('import', 'users.csv')).toEqual({ created: 0, existing: 1, refused: 0 })
    const { users: found } = (await asJson('list', '--filter', 'eve@')) as { users: unknown[] }
    expect(found).toMatchObject([{ user_metadata: { full_name: 'Eve' }, confirmed_at: expect.any(String) }])
  })

  it('imports a Firebase export with the parameters of its project', async () => {
    // The example of github.com/firebase/scrypt, whose password is user1password.
    const user = {
      localId: 'firebase-1',
      email: 'frida@example.com',
      emailVerified: true,
      displayName: 'Frida',
      passwordHash: 'lSrfV15cpx95_sZS2W9c9Kp6i_LVgQNDNC_qzrCnh1SAyZvqmZqAjTdn3aoItz-VHjoZilo78198JAdRuid5lQ==',
      salt: '42xEC-ixf3L2lw==',
    }
    writeFileSync(join(cwd(), 'firebase.json'), JSON.stringify({ users: [user] }))
    expect(await users('import', 'firebase.json')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--firebase-signer-key'),
    })
    const signerKey = 'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=='
    expect(await asJson('import', 'firebase.json', '--firebase-signer-key', signerKey)).toMatchObject({ created: 1 })
    const { data, error } = await connect().auth.signInWithPassword({
      email: 'frida@example.com',
      password: 'user1password',
    })
    expect(error).toBeNull()
    expect(data.user).toMatchObject({
      app_metadata: { firebase_uid: 'firebase-1' },
      user_metadata: { full_name: 'Frida' },
    })
  })

  it('reaches a running API by its address and key, without a project', async () => {
    const elsewhere = await makeTemporaryFolder('pando-elsewhere-')
    const url = ready('API_URL')
    const run = (env: Record<string, string>) =>
      runPando(['users', 'list', '--url', url, '--json'], { cwd: elsewhere, env })
    expect(await run({})).toMatchObject({ code: 2, out: expect.stringContaining('SECRET_KEY') })
    expect(JSON.parse((await run({ SECRET_KEY: ready('SECRET_KEY') })).out)).toHaveProperty('users')
    expect(await run({ SECRET_KEY: ready('PUBLISHABLE_KEY') })).toMatchObject({
      code: 6,
      out: expect.stringContaining('Use the secret key'),
    })
    rmSync(elsewhere, { recursive: true })
  })

  it('says who is not there, and what does not answer', async () => {
    expect(await users('ban', 'nobody@example.com')).toMatchObject({
      code: 2,
      err: expect.stringContaining('There is no user "nobody@example.com"'),
    })
    expect(await users('list', '--url', 'http://127.0.0.1:1', '--key', 'x')).toMatchObject({
      code: 6,
      err: expect.stringContaining('The API at http://127.0.0.1:1 does not answer'),
    })
  })
})
