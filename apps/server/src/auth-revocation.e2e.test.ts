import type { SupabaseClient } from '@supabase/supabase-js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { codeOf, type Person, signIn, signUp, signUpWithTotp } from './testing/second-factors.ts'
import { openPhoenix } from './testing/phoenix.ts'
import { type Api, ask, type Received, startApi } from './testing/start-api.ts'

/** Two nodes on one database; only the first has accounts. */
let api: Api
let other: Api

const environment = { PANDO_JWT_ENDED_SESSIONS_INTERVAL: '100ms', PANDO_GATEWAY_METRICS_PUBLIC: 'true' }

beforeAll(async () => {
  const sql = `create function public.who() returns uuid language sql stable return auth.uid();
    create function public.level() returns text language sql stable return auth.jwt() ->> 'aal';
    create policy proven on realtime.messages for select to authenticated using ((select auth.jwt() ->> 'aal') = 'aal2')`
  api = await startApi({ sql, environment })
  other = await startApi({ beside: api, environment: { ...environment, PANDO_SERVER_SERVICES: 'rest' } })
})

afterAll(async () => {
  await other?.stop()
  await api?.stop()
})

const bothRefuse = [401, 401]
const password = 'correct horse battery'

const askWho = (node: Api, token: string): Promise<Received> => askAbout('who', node, token)

function askAbout(what: 'who' | 'level', node: Api, token: string): Promise<Received> {
  const headers = { apikey: node.keys.anonKey, Authorization: `Bearer ${token}` }
  return ask(`${node.url}/rest/v1/rpc/${what}`, { headers })
}

/** What policies read as claim `aal`, on both nodes. */
const levelsOf = (token: string) =>
  Promise.all([api, other].map(async (node) => (await askAbout('level', node, token)).body))

async function statusesOf(token: string): Promise<number[]> {
  const answers = await Promise.all([api, other].map((node) => askWho(node, token)))
  return answers.map(({ status }) => status)
}

/** What both nodes answer once they refuse, however long this machine takes; a session that goes on never gets there. */
function refusalsOf(token: string): Promise<number[]> {
  const mustBeRefusals = async (): Promise<number[]> => {
    const statuses = await statusesOf(token)
    if (statuses.includes(200)) throw new Error(`the nodes answer ${statuses.join(' and ')}`)
    return statuses
  }
  return vi.waitFor(mustBeRefusals, { timeout: 20_000, interval: 20 })
}

async function tokenOf(client: SupabaseClient): Promise<string> {
  const { data } = await client.auth.getSession()
  return data.session!.access_token
}

const sessionIdOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { session_id: string }).session_id

const post = (path: string, body: unknown) =>
  ask(`${api.url}/auth/v1${path}`, { body, headers: { apikey: api.keys.anonKey } })
const admin = () => api.client(api.keys.serviceRoleKey).auth.admin

/** Somebody with two phones, and how sessions are ended that all were good before. */
type Ways = Record<string, (person: Person, second: SupabaseClient) => Promise<unknown>>

const endsFirst: Ways = {
  'signing out on it': ({ client }) => client.auth.signOut({ scope: 'local' }),
  'a second factor, removed on the other phone': async (_, { auth }) => {
    const { data } = await auth.mfa.enroll({ factorType: 'totp' })
    await api.database.query(`update auth.mfa_factors set status = 'verified' where id = $1`, [data!.id])
    await api.database.query(`update auth.sessions set aal = 'aal2', factor_id = $1 where id = $2`, [
      data!.id,
      sessionIdOf((await auth.getSession()).data.session!.access_token),
    ])
    return auth.mfa.unenroll({ factorId: data!.id })
  },
  'signing out everywhere else': (_, second) => second.auth.signOut({ scope: 'others' }),
  'a new password, chosen on the other phone': (_, second) => second.auth.updateUser({ password: 'another long one' }),
  'a second factor, proved on the other phone': async (_, { auth }) => {
    const { data } = await auth.mfa.enroll({ factorType: 'totp' })
    return auth.mfa.challengeAndVerify({ factorId: data!.id, code: codeOf(data!.totp!.secret) })
  },
  'a copy of a refresh token that comes back': async ({ session, user }) => {
    const refresh = (token: string) => post('/token?grant_type=refresh_token', { refresh_token: token })
    const next = (await refresh(session.refresh_token)).body as { refresh_token: string }
    await refresh(next.refresh_token)
    await api.database.query(
      `update auth.sessions set refreshed_at = refreshed_at - interval '1 minute' where user_id = $1`,
      [user.id],
    )
    return refresh(session.refresh_token)
  },
}

const endsBoth: Ways = {
  'signing out everywhere': ({ client }) => client.auth.signOut({ scope: 'global' }),
  'an admin, by signing the person out': ({ user }) => askAsAdmin(`/admin/users/${user.id}/logout`),
  'an admin, by a new password': ({ user }) => admin().updateUserById(user.id, { password: 'another long one' }),
  'a ban': ({ user }) => admin().updateUserById(user.id, { ban_duration: '1h' }),
  'deleting the account': ({ user }) => admin().deleteUser(user.id),
  'deleting the account but for its id': ({ user }) => admin().deleteUser(user.id, true),
  'SQL that deletes the sessions': ({ user }) =>
    api.database.query('delete from auth.sessions where user_id = $1', [user.id]),
  'SQL that deletes the account': ({ user }) => api.database.query('delete from auth.users where id = $1', [user.id]),
  'SQL that bans': ({ user }) =>
    api.database.query(`update auth.users set banned_until = 'infinity' where id = $1`, [user.id]),
}

function askAsAdmin(path: string, method = 'POST', body?: unknown): Promise<Received> {
  const { serviceRoleKey: key } = api.keys
  return ask(`${api.url}/auth/v1${path}`, { method, body, headers: { apikey: key, Authorization: `Bearer ${key}` } })
}

/** Proofs are told in whole seconds; one of the second of a loss counts as one of before. */
const waitForNextSecond = () => new Promise((resolve) => setTimeout(resolve, 1000))

async function somebodyWithTwoPhones() {
  const person = await signUp(api)
  const second = await signIn(api, person.email)
  const tokens = [person.session.access_token, await tokenOf(second)] as const
  for (const token of tokens) expect(await statusesOf(token)).toEqual([200, 200])
  return { person, second, tokens }
}

test.each(Object.entries(endsFirst))('every node refuses the tokens of a session that ended by %s', async (_, end) => {
  const { person, second, tokens } = await somebodyWithTwoPhones()
  await end(person, second)
  expect(await refusalsOf(tokens[0])).toEqual(bothRefuse)
  expect(await statusesOf(await tokenOf(second))).toEqual([200, 200])
})

test.each(Object.entries(endsBoth))(
  'every node refuses the tokens of all sessions that ended by %s',
  async (_, end) => {
    const { person, second, tokens } = await somebodyWithTwoPhones()
    await end(person, second)
    for (const token of tokens) expect(await refusalsOf(token)).toEqual(bothRefuse)
  },
)

test('who removes their factor stays signed in, and no node takes the token of before for aal2', async () => {
  const { client, factorId } = await signUpWithTotp(api)
  const token = await tokenOf(client)
  expect(await levelsOf(token)).toEqual(['aal2', 'aal2'])
  expect((await client.auth.mfa.unenroll({ factorId })).error).toBeNull()
  await vi.waitFor(async () => expect(await levelsOf(token)).toEqual(['aal1', 'aal1']), { timeout: 20_000 })
  expect((await client.auth.getUser()).error).toBeNull()
  const again = (await client.auth.mfa.enroll({ factorType: 'totp' })).data!
  await waitForNextSecond()
  await client.auth.mfa.challengeAndVerify({ factorId: again.id, code: codeOf(again.totp!.secret) })
  expect(await levelsOf(await tokenOf(client))).toEqual(['aal2', 'aal2'])
  expect(await levelsOf(token)).toEqual(['aal1', 'aal1'])
})

test('a channel that the second factor opened is closed without it, and does not open again', async () => {
  const { client, factorId } = await signUpWithTotp(api)
  const token = await tokenOf(client)
  const socket = await openPhoenix(api.url, { apikey: api.keys.anonKey })
  const join = () => socket.join('vault', { private: true }, token)
  expect(await join()).toMatchObject({ status: 'ok' })
  await client.auth.mfa.unenroll({ factorId })
  await socket.until(({ event }) => event === 'phx_close')
  expect(await join()).toMatchObject({ status: 'error', response: { reason: expect.stringContaining('Unauthorized') } })
  socket.close()
})

test('a factor that an admin removes, or a number that an admin changes, ends all sessions', async () => {
  const first = await signUpWithTotp(api)
  await admin().mfa.deleteFactor({ userId: first.user.id, id: first.factorId })
  expect(await refusalsOf(await tokenOf(first.client))).toEqual(bothRefuse)
  const second = await signUpWithTotp(api)
  await api.database.query(`update auth.mfa_factors set factor_type = 'phone', phone = '4915112345678' where id = $1`, [
    second.factorId,
  ])
  await askAsAdmin(`/admin/users/${second.user.id}/factors/${second.factorId}`, 'PUT', { phone: '+4915187654321' })
  expect(await refusalsOf(await tokenOf(second.client))).toEqual(bothRefuse)
})

test('the data API says what became of the session, and accounts say it as the SDKs expect', async () => {
  const { client, session } = await signUp(api)
  await client.auth.signOut({ scope: 'global' })
  expect(await refusalsOf(session.access_token)).toEqual(bothRefuse)
  const refused = await askWho(other, session.access_token)
  expect(refused.body).toMatchObject({ code: 'PGRST301', message: 'Session of the JWT has ended' })
  expect(refused.headers.get('www-authenticate')).toContain('Session of the JWT has ended')
  const { error } = await api.client().auth.getUser(session.access_token)
  expect(error).toMatchObject({ name: 'AuthSessionMissingError' })
})

test('who signs in again is let in, and so is everybody whose token has no session', async () => {
  const { client, email, session, user } = await signUp(api)
  await client.auth.signOut({ scope: 'global' })
  expect(await refusalsOf(session.access_token)).toEqual(bothRefuse)
  expect(await statusesOf(await tokenOf(await signIn(api, email)))).toEqual([200, 200])
  expect(await statusesOf(await api.sign({ sub: user.id }))).toEqual([200, 200])
  expect(await statusesOf(api.keys.serviceRoleKey)).toEqual([200, 200])
})

test('a node whose connection was ended refuses all the same', async () => {
  const { client, session } = await signUp(api)
  await api.database.run(`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'pando sessions' and datname = current_database()`)
  await client.auth.signOut()
  expect(await refusalsOf(session.access_token)).toEqual(bothRefuse)
})

test('a node that starts afterwards refuses from its first request on', async () => {
  const { client, session } = await signUp(api)
  await client.auth.signOut()
  const late = await startApi({ beside: api, environment: { ...environment, PANDO_SERVER_SERVICES: 'rest' } })
  const { status } = await askWho(late, session.access_token)
  await late.stop()
  expect(status).toBe(401)
})

test('an admin who signed in has no rights left after signing out', async () => {
  const { client, user, email } = await signUp(api)
  await api.database.query(`update auth.users set role = 'service_role' where id = $1`, [user.id])
  await client.auth.signInWithPassword({ email, password })
  const token = await tokenOf(client)
  const list = () =>
    ask(`${api.url}/auth/v1/admin/users`, { headers: { apikey: api.keys.anonKey, Authorization: `Bearer ${token}` } })
  expect((await list()).status).toBe(200)
  await client.auth.signOut()
  expect(await list()).toMatchObject({ status: 403, body: { error_code: 'session_not_found' } })
})

test('with one session per user, a sign-in ends the session before', async () => {
  const strict = await startApi({ beside: api, environment: { PANDO_AUTH_SINGLE_SESSION_PER_USER: 'true' } })
  const { session, email } = await signUp(strict)
  const second = await signIn(strict, email)
  expect(await refusalsOf(session.access_token)).toEqual(bothRefuse)
  expect(await statusesOf(await tokenOf(second))).toEqual([200, 200])
  await strict.stop()
})

test('no access token outlives its session', async () => {
  const boxed = await startApi({
    beside: api,
    environment: { PANDO_AUTH_SESSION_TIMEBOX: '30m', PANDO_AUTH_SESSION_INACTIVITY_TIMEOUT: '20m' },
  })
  const { session, user } = await signUp(boxed)
  expect(session.expires_in).toBe(1200)
  await boxed.database.query(
    `update auth.sessions set created_at = created_at - interval '25 minutes', refreshed_at = now() where user_id = $1`,
    [user.id],
  )
  const refreshed = await boxed.client().auth.refreshSession(session)
  const { expires_in: expiresIn, access_token: token } = refreshed.data.session!
  await boxed.stop()
  expect(expiresIn).toBeLessThanOrEqual(300)
  const { exp, iat } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
  expect(exp - iat).toBe(expiresIn)
})

test('nodes tell how many sessions they refuse, and how fresh that is', async () => {
  const { text } = await ask(`${api.url}/metrics`)
  expect(text).toMatch(/^auth_ended_sessions \d+$/m)
  expect(text).toMatch(/^auth_ended_sessions_age_seconds \d/m)
})
