import type { SupabaseClient } from '@supabase/supabase-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askAs, signIn, signUp, signUpWithTotp } from './testing/second-factors.ts'
import { codeTo } from './testing/messages.ts'
import { type Api, startApi } from './testing/start-api.ts'

let api: Api

beforeAll(async () => {
  api = await startApi({
    sql: '',
    environment: { PANDO_AUTH_SESSION_TIMEBOX: '30d', PANDO_AUTH_EMAIL_FREQUENCY: '0' },
  })
})

afterAll(() => api?.stop())

type Listed = { readonly id: string; readonly is_current: boolean; readonly [member: string]: unknown }

async function listAs(client: SupabaseClient): Promise<readonly Listed[]> {
  const { status, body } = await askAs(api, client, { path: '/sessions' })
  expect(status).toBe(200)
  return (body as { sessions: Listed[] }).sessions
}

const end = (client: SupabaseClient, id: string, body?: unknown) =>
  askAs(api, client, { path: `/sessions/${id}`, method: 'DELETE', body })

const age = (userId: string, interval: string) =>
  api.database.query(`update auth.sessions set created_at = created_at - $1::interval where user_id = $2`, [
    interval,
    userId,
  ])

test('people see where they are signed in, and nobody else does', async () => {
  const { client, email } = await signUp(api)
  const second = await signIn(api, email)
  await signUp(api)
  const [newest, oldest, ...more] = await listAs(second)
  expect(more).toEqual([])
  expect(newest).toEqual({
    id: expect.any(String),
    created_at: expect.any(String),
    last_used_at: newest!['created_at'],
    not_after: null,
    aal: 'aal1',
    amr: [{ method: 'password', timestamp: expect.any(Number) }],
    user_agent: expect.any(String),
    ip: '127.0.0.1',
    is_current: true,
  })
  expect(oldest!.is_current).toBe(false)
  await client.auth.refreshSession()
  expect((await listAs(client)).map(({ id, is_current }) => [id, is_current])).toEqual([
    [oldest!.id, true],
    [newest!.id, false],
  ])
})

test('a session whose time is over is not listed', async () => {
  const { email, user } = await signUp(api)
  await age(user.id, '31 days')
  expect(await listAs(await signIn(api, email))).toHaveLength(1)
})

test('people end any of their sessions, and none of others', async () => {
  const { client, email } = await signUp(api)
  const second = await signIn(api, email)
  const stranger = await signUp(api)
  const own = (await listAs(client)).find(({ is_current }) => !is_current)!
  expect(await end(stranger.client, own.id)).toMatchObject({ status: 404, body: { error_code: 'validation_failed' } })
  expect(await end(client, 'nothing')).toMatchObject({ status: 404 })
  expect((await end(client, own.id)).status).toBe(204)
  expect((await second.auth.getUser()).error).toMatchObject({ name: 'AuthSessionMissingError' })
  expect((await end(client, own.id)).status).toBe(404)
  const [last] = await listAs(client)
  expect((await end(client, last!.id)).status).toBe(204)
  expect((await client.auth.getUser()).error).not.toBeNull()
})

test('in an old session it takes a code to end another one, and none to leave', async () => {
  const { client, email, user } = await signUp(api)
  await signIn(api, email)
  await age(user.id, '25 hours')
  const sessions = await listAs(client)
  const other = sessions.find(({ is_current }) => !is_current)!
  expect(await end(client, other.id)).toMatchObject({
    status: 400,
    body: { error_code: 'reauthentication_needed', msg: 'Ending another session requires reauthentication' },
  })
  expect(await end(client, other.id, { nonce: '000000' })).toMatchObject({
    status: 422,
    body: { error_code: 'reauthentication_not_valid' },
  })
  expect((await client.auth.reauthenticate()).error).toBeNull()
  expect((await end(client, other.id, { nonce: await codeTo(api, email) })).status).toBe(204)
  const own = sessions.find(({ is_current }) => is_current)!
  expect((await end(client, own.id)).status).toBe(204)
})

test('who has proved the password alone, and has a second factor, sees and ends nothing', async () => {
  const { client, email } = await signUpWithTotp(api)
  const [own] = await listAs(client)
  const half = await signIn(api, email)
  expect(await askAs(api, half, { path: '/sessions' })).toMatchObject({ body: { error_code: 'insufficient_aal' } })
  expect(await end(half, own!.id)).toMatchObject({ body: { error_code: 'insufficient_aal' } })
})
