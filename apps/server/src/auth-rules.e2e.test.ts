import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Api, ask, startApi } from './testing/start-api.ts'

let api: Api

beforeAll(async () => {
  api = await startApi({
    sql: '',
    environment: { PANDO_AUTH_SESSION_TIMEBOX: '30d', PANDO_AUTH_SESSION_INACTIVITY_TIMEOUT: '7d' },
  })
})

afterAll(() => api?.stop())

const password = 'correct horse battery'
let addresses = 0
const newAddress = (): string => `person${++addresses}@example.com`
const post = (path: string, body: unknown) =>
  ask(`${api.url}/auth/v1${path}`, { body, headers: { apikey: api.keys.anonKey } })

async function signUp(chosen = password) {
  const email = newAddress()
  const client = api.client()
  const { data, error } = await client.auth.signUp({ email, password: chosen })
  return { client, email, session: data.session!, user: data.user!, error }
}

const refresh = ({ refresh_token }: { refresh_token: string }) =>
  post('/token?grant_type=refresh_token', { refresh_token })

test('passwords are as long as people like from eight characters on, of any characters, and are checked to the last', async () => {
  expect((await signUp('seven77')).error).toMatchObject({ code: 'weak_password', reasons: ['length'] })
  for (const chosen of ['eight888', 'äöü 漢字 🌳🌳🌳', 'a'.repeat(64), `${'long '.repeat(40)}end`]) {
    const { email, error } = await signUp(chosen)
    expect(error).toBeNull()
    expect((await api.client().auth.signInWithPassword({ email, password: chosen })).error).toBeNull()
    for (const near of [chosen.slice(0, -1), `${chosen} `, chosen.toUpperCase()]) {
      const { error: refused } = await api.client().auth.signInWithPassword({ email, password: near })
      expect(refused).toMatchObject({ code: 'invalid_credentials' })
    }
  }
})

test('a password that is too long to be one is refused at the door', async () => {
  expect((await signUp('x'.repeat(1025))).error).toMatchObject({ code: 'validation_failed', status: 400 })
})

test('each sign-in is a session of its own', async () => {
  const { client, email, session } = await signUp()
  const { data } = await api.client().auth.signInWithPassword({ email, password })
  expect(data.session!.refresh_token).not.toBe(session.refresh_token)
  const ids = await Promise.all(
    [session, data.session!].map(async ({ access_token }) => (await client.auth.getClaims(access_token)).data?.claims),
  )
  expect(ids[0]!['session_id']).not.toBe(ids[1]!['session_id'])
})

test('a session ends when it is not used, and after its time however it is used', async () => {
  const age = (column: string, days: number, userId: string) =>
    api.database.query(`update auth.sessions set ${column} = ${column} - $1 * interval '1 day' where user_id = $2`, [
      days,
      userId,
    ])
  const unused = await signUp()
  await age('created_at', 8, unused.user.id)
  expect((await refresh(unused.session)).body).toMatchObject({
    error_code: 'session_expired',
    msg: 'Invalid Refresh Token: Session Expired (Inactivity)',
  })
  const old = await signUp()
  const used = (await refresh(old.session)).body as { refresh_token: string }
  await age('created_at', 31, old.user.id)
  expect((await refresh(used)).body).toMatchObject({
    error_code: 'session_expired',
    msg: 'Invalid Refresh Token: Session Expired',
  })
})

test('who is banned or deleted has no session any more', async () => {
  const { auth } = api.client(api.keys.serviceRoleKey)
  const banned = await signUp()
  await auth.admin.updateUserById(banned.user.id, { ban_duration: '1h' })
  const deleted = await signUp()
  await auth.admin.deleteUser(deleted.user.id, true)
  for (const { client, session } of [banned, deleted]) {
    expect((await client.auth.getUser()).error).not.toBeNull()
    expect((await refresh(session)).status).toBe(400)
  }
})

test('an admin reads what was done to accounts, by page and by author, action or type', async () => {
  const { client, email, user } = await signUp()
  await client.auth.updateUser({ data: { name: 'Ada' } })
  await api.client(api.keys.serviceRoleKey).auth.admin.deleteUser(user.id)
  const read = (query: string, key = api.keys.serviceRoleKey) =>
    ask(`${api.url}/auth/v1/admin/audit?${query}`, { headers: { apikey: key, Authorization: `Bearer ${key}` } })
  const actionsOf = (body: unknown) => (body as { payload: { action: string } }[]).map(({ payload }) => payload.action)
  const own = await read(`query=author:${email.toUpperCase()}`)
  expect(actionsOf(own.body)).toEqual(['user_modified', 'login', 'user_signedup'])
  expect(own.body).toMatchObject([
    { payload: { actor_id: user.id, log_type: 'user' }, ip_address: '127.0.0.1' },
    {},
    {},
  ])
  const page = await read('query=action:user_deleted&per_page=1')
  expect(page.body).toMatchObject([{ payload: { traits: { user_id: user.id } } }])
  expect(page.headers.get('link')).toContain('/admin/audit?page=')
  expect(Number(page.headers.get('x-total-count'))).toBeGreaterThan(0)
  expect(new Set(actionsOf((await read('query=type:account')).body))).toEqual(new Set(['login']))
  expect((await read('query=nothing')).body).toMatchObject({ error_code: 'validation_failed' })
  expect((await read('', api.keys.anonKey)).status).toBe(401)
})
