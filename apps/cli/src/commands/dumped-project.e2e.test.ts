import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { hmacSigningKey, signJwt } from '@pando/http/auth/sign-jwt'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { runPando, startDev } from '../testing/run-pando.ts'
import type { RunningDev } from '../testing/run-pando.ts'

const ada = 'a0a0a0a0-0000-4000-8000-000000000001'
const bob = 'b0b0b0b0-0000-4000-8000-000000000002'
const seed = `
  insert into auth.users (id, email, raw_user_meta_data)
  values ('${ada}', 'ada@example.com', '{"name": "Ada"}'), ('${bob}', 'bob@example.com', '{"name": "Bob"}');
  insert into public.notes (author_id, visibility, body)
  values ('${ada}', 'private', 'of Ada'), ('${bob}', 'private', 'of Bob'), ('${bob}', 'public', 'for all');
`
const emptyOnes = ['pgsodium', 'pg_graphql', 'supabase_vault']

let cwd: string
let dev: RunningDev | undefined

beforeEach(async () => {
  cwd = await makeTemporaryFolder('pando-dumped-')
})
afterEach(async () => {
  dev?.kill('SIGINT')
  await dev?.end
  rmSync(cwd, { recursive: true })
})

/** The folder of an existing project, with the dump as its first migration. */
function makeProject(dump: string): void {
  const migrations = join(cwd, 'supabase', 'migrations')
  mkdirSync(migrations, { recursive: true })
  cpSync(new URL(`../testing/dumps/${dump}`, import.meta.url), join(migrations, dump))
  writeFileSync(join(cwd, 'supabase', 'seed.sql'), seed)
}

const pando = (...args: string[]) => runPando(args, { cwd })

type Asked = { readonly token?: string; readonly method?: string; readonly body?: unknown }

/** Asks the data API as an app does: as anon, or as the user of a token. */
async function startApi() {
  dev = startDev(['--port', '0', '--db-port', '0', '--no-watch'], { cwd })
  const ready = await dev.next('ready')
  const key = String(ready['ANON_KEY'])
  const secret = hmacSigningKey(String(ready['JWT_SECRET']))
  return {
    signIn: (sub: string) => signJwt({ sub, role: 'authenticated', aud: 'authenticated', exp: 4_000_000_000 }, secret),
    ask: async (path: string, { token = key, method = 'GET', body }: Asked = {}) => {
      const response = await fetch(`${String(ready['API_URL'])}/rest/v1/${path}`, {
        method,
        headers: { apikey: key, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      })
      return { status: response.status, body: (await response.json().catch(() => null)) as unknown }
    },
  }
}

describe.each(['20221014073000_remote_commit.sql', '20250911102233_remote_schema.sql'])('the dump %s', (dump) => {
  it('is applied with a warning for each extension that is empty, and doctor knows them', async () => {
    makeProject(dump)
    const { code, out, err } = await pando('migrate', 'up')
    expect({ code, out }).toEqual({ code: 0, out: '1 migration applied.\n' })
    const warnings = err.split('\n').filter((line) => line.startsWith('!'))
    expect(warnings).toEqual(
      emptyOnes.map((name) => {
        const text = `! ${dump}: Extension "${name}" is empty: the embedded PostgreSQL does not have it. `
        return expect.stringMatching(new RegExp(`^${RegExp.escape(text)}.*; SQL that .* fails\\.$`)) as string
      }),
    )
    const { findings } = JSON.parse((await pando('doctor', '--json')).out) as { findings: unknown[] }
    expect(findings).toContainEqual({
      subject: 'extensions',
      state: 'warn',
      text: expect.stringMatching(/^empty, .*: pg_graphql, pgsodium, supabase_vault$/) as string,
      remedy: expect.stringContaining('DATABASE_URL') as string,
    })
  })

  it('serves its rows to anon and to who signed in, as its policies and grants say', async () => {
    makeProject(dump)
    const { ask, signIn } = await startApi()
    const token = await signIn(ada)
    const bodies = 'notes?select=body,author:profiles(name)&order=id'
    const forAll = { body: 'for all', author: { name: 'Bob' } }
    expect(await ask(bodies)).toEqual({ status: 200, body: [forAll] })
    expect(await ask(bodies, { token })).toEqual({
      status: 200,
      body: [{ body: 'of Ada', author: { name: 'Ada' } }, forAll],
    })

    expect((await ask('notes', { method: 'POST', body: { body: 'nobody' } })).status).toBe(401)
    expect((await ask('notes', { token, method: 'POST', body: { body: 'new' } })).status).toBe(201)
    expect((await ask('notes', { token, method: 'POST', body: { body: 'x', author_id: bob } })).status).toBe(403)
    expect(await ask('notes?select=body&body=eq.new', { token })).toEqual({ status: 200, body: [{ body: 'new' }] })

    const invitation = await ask('rpc/invitation', { token, method: 'POST', body: {} })
    const payload = String(invitation.body).split('.')[1] ?? ''
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual({ sub: ada })
  })
})
