import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Api, ask, startApi } from './testing/start-api.ts'

let api: Api

beforeAll(async () => {
  api = await startApi({
    sql: `create table notes (id bigint generated always as identity primary key, owner uuid default auth.uid(), text text);
      alter table notes enable row level security;
      create policy own on notes to authenticated using (owner = auth.uid()) with check (owner = auth.uid());`,
    environment: { PANDO_AUTH_ANONYMOUS_ENABLED: 'true' },
  })
})

afterAll(() => api?.stop())

let addresses = 0
const newAddress = (): string => `person${++addresses}@example.com`
const password = 'correct horse battery'

const askAuth = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  ask(`${api.url}/auth/v1${path}`, { body, headers: { apikey: api.keys.anonKey, ...headers } })

async function signUp(email = newAddress()) {
  const client = api.client()
  const { data, error } = await client.auth.signUp({ email, password })
  expect(error).toBeNull()
  return { client, email, session: data.session!, user: data.user! }
}

test('who signs up has a session that policies know', async () => {
  const { client, user } = await signUp()
  const { error } = await client.from('notes').insert({ text: 'mine' })
  expect(error).toBeNull()
  const { data } = await client.from('notes').select('owner,text')
  expect(data).toEqual([{ owner: user.id, text: 'mine' }])
  const stranger = await signUp()
  expect((await stranger.client.from('notes').select('text')).data).toEqual([])
})

test('a session carries the user and the claims that the SDKs read', async () => {
  const { client, email, session, user } = await signUp()
  expect(session).toMatchObject({ token_type: 'bearer', expires_in: 3600, refresh_token: expect.any(String) })
  expect(user).toMatchObject({
    aud: 'authenticated',
    role: 'authenticated',
    email,
    app_metadata: { provider: 'email', providers: ['email'] },
    user_metadata: { email, email_verified: true, phone_verified: false, sub: user.id },
    is_anonymous: false,
  })
  expect(user.identities).toMatchObject([{ provider: 'email', user_id: user.id, identity_data: { email } }])
  const { data } = await client.auth.getClaims()
  expect(data?.claims).toMatchObject({
    iss: `${api.url}/auth/v1`,
    sub: user.id,
    aud: 'authenticated',
    role: 'authenticated',
    email,
    aal: 'aal1',
    amr: [{ method: 'password', timestamp: expect.any(Number) }],
    session_id: expect.any(String),
    is_anonymous: false,
  })
})

test('only the right password of a known account signs in, and both wrongs are told alike', async () => {
  const { email } = await signUp()
  const client = api.client()
  expect((await client.auth.signInWithPassword({ email, password })).data.user?.email).toBe(email)
  const wrong = await askAuth('/token?grant_type=password', { email, password: 'wrong horse battery' })
  const unknown = await askAuth('/token?grant_type=password', { email: newAddress(), password })
  expect(wrong.status).toBe(400)
  expect(wrong.body).toEqual({ code: 400, error_code: 'invalid_credentials', msg: 'Invalid login credentials' })
  expect([unknown.status, unknown.body]).toEqual([wrong.status, wrong.body])
})

test('an address is one, however it is written', async () => {
  const { email } = await signUp()
  const client = api.client()
  const { data } = await client.auth.signInWithPassword({ email: ` ${email.toUpperCase()} `, password })
  expect(data.user?.email).toBe(email)
  const { error } = await client.auth.signUp({ email: email.toUpperCase(), password })
  expect(error).toMatchObject({ code: 'user_already_exists', status: 422 })
})

test('new SDKs get codes in words, and old ones the status', async () => {
  const body = { email: 'nobody@example.com', password: 'x' }
  const modern = await askAuth('/token?grant_type=password', body, { 'x-supabase-api-version': '2024-01-01' })
  expect(modern.body).toEqual({ code: 'invalid_credentials', message: 'Invalid login credentials' })
  expect(modern.headers.get('x-supabase-api-version')).toBe('2024-01-01')
})

test('a refresh gives the next token, and a lost answer can be asked for again', async () => {
  const { session } = await signUp()
  const refresh = (token: string) => askAuth('/token?grant_type=refresh_token', { refresh_token: token })
  const first = (await refresh(session.refresh_token)).body as { refresh_token: string }
  expect(first.refresh_token).not.toBe(session.refresh_token)
  const again = (await refresh(session.refresh_token)).body as { refresh_token: string }
  expect(again.refresh_token).toBe(first.refresh_token)
})

test('of 50 refreshes with one token at once all get the same session', async () => {
  const { session } = await signUp()
  const answers = await Promise.all(
    Array.from({ length: 50 }, () =>
      askAuth('/token?grant_type=refresh_token', { refresh_token: session.refresh_token }),
    ),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(new Set(answers.map(({ body }) => (body as { refresh_token: string }).refresh_token)).size).toBe(1)
})

test('an old refresh token in wrong hands ends the session', async () => {
  const { session, user } = await signUp()
  const refresh = (token: string) => askAuth('/token?grant_type=refresh_token', { refresh_token: token })
  const second = (await refresh(session.refresh_token)).body as { refresh_token: string }
  const third = (await refresh(second.refresh_token)).body as { refresh_token: string }
  await api.database.query(
    `update auth.sessions set refreshed_at = refreshed_at - interval '1 minute' where user_id = $1`,
    [user.id],
  )
  const stolen = await refresh(session.refresh_token)
  expect(stolen.body).toMatchObject({ error_code: 'refresh_token_already_used' })
  expect((await refresh(third.refresh_token)).body).toMatchObject({ error_code: 'refresh_token_not_found' })
})

test('a token that was never given refreshes nothing, and harms nobody', async () => {
  const { session } = await signUp()
  const bytes = Buffer.from(session.refresh_token, 'base64url')
  bytes[30]! ^= 1
  const forged = await askAuth('/token?grant_type=refresh_token', { refresh_token: bytes.toString('base64url') })
  expect(forged.body).toMatchObject({ error_code: 'refresh_token_not_found' })
  const own = await askAuth('/token?grant_type=refresh_token', { refresh_token: session.refresh_token })
  expect(own.status).toBe(200)
})

test('signing out here, elsewhere and everywhere', async () => {
  const { client, email } = await signUp()
  const other = api.client()
  await other.auth.signInWithPassword({ email, password })
  expect((await client.auth.signOut({ scope: 'others' })).error).toBeNull()
  expect((await other.auth.getUser()).error).toMatchObject({ name: 'AuthSessionMissingError' })
  expect((await client.auth.getUser()).data.user?.email).toBe(email)
  expect((await client.auth.signOut({ scope: 'global' })).error).toBeNull()
})

test('somebody anonymous is signed in as such', async () => {
  const client = api.client()
  const { data, error } = await client.auth.signInAnonymously({ options: { data: { colour: 'green' } } })
  expect(error).toBeNull()
  expect(data.user).toMatchObject({ is_anonymous: true, user_metadata: { colour: 'green' } })
  expect((await client.from('notes').insert({ text: 'passing by' })).error).toBeNull()
})

test('a person changes their own data and password; the new password ends other sessions', async () => {
  const { client, email } = await signUp()
  const other = api.client()
  await other.auth.signInWithPassword({ email, password })
  const { data } = await client.auth.updateUser({ data: { name: 'Ada' }, password: 'another long one' })
  expect(data.user?.user_metadata).toMatchObject({ name: 'Ada' })
  expect((await other.auth.getUser()).error).not.toBeNull()
  expect((await client.auth.getUser()).error).toBeNull()
  expect((await client.auth.signInWithPassword({ email, password: 'another long one' })).error).toBeNull()
})

test('nobody makes themselves an admin', async () => {
  const { session } = await signUp()
  const headers = { Authorization: `Bearer ${session.access_token}` }
  const asked = { method: 'PUT', headers: { apikey: api.keys.anonKey, ...headers } }
  const grab = await ask(`${api.url}/auth/v1/user`, { ...asked, body: { app_metadata: { admin: true } } })
  expect(grab).toMatchObject({ status: 403, body: { error_code: 'not_admin' } })
  const listed = await askAuth('/admin/users', undefined, headers)
  expect(listed).toMatchObject({ status: 403, body: { error_code: 'not_admin' } })
})

test('a token that nobody signed and one without a person are told apart, in the words of the wire', async () => {
  const { session } = await signUp()
  const [head, , signature] = session.access_token.split('.')
  const claims = Buffer.from('{"role":"authenticated"}').toString('base64url')
  for (const forged of [`${head}.${claims}.${signature}`, `${head}.${claims}.not_of_base64url!`, 'nonsense']) {
    const refused = await askAuth('/user', undefined, { Authorization: `Bearer ${forged}` })
    const msg = expect.stringContaining('invalid JWT: unable to parse or verify signature')
    expect(refused).toMatchObject({ status: 403, body: { error_code: 'bad_jwt', msg } })
  }
  const key = await askAuth('/user', undefined, { Authorization: `Bearer ${api.keys.serviceRoleKey}` })
  expect(key).toMatchObject({ status: 403, body: { error_code: 'bad_jwt', msg: 'invalid claim: missing sub claim' } })
})

test('objects and arrays are refused where texts belong, before anything is looked up', async () => {
  for (const bad of [{ email: ['a@b.de'], password: 'x' }, { email: { $gt: '' }, password: 'x' }, { email: 1 }]) {
    const refused = await askAuth('/token?grant_type=password', bad)
    expect(refused).toMatchObject({ status: 400, body: { error_code: 'bad_json' } })
  }
})

test('an admin makes, changes, finds, bans and deletes users', async () => {
  const { auth } = api.client(api.keys.serviceRoleKey)
  const email = newAddress()
  const made = await auth.admin.createUser({ email, password, email_confirm: true, user_metadata: { name: 'Bob' } })
  expect(made.error).toBeNull()
  const { id } = made.data.user!
  expect(made.data.user).toMatchObject({
    email,
    user_metadata: { name: 'Bob' },
    email_confirmed_at: expect.any(String),
  })
  const changed = await auth.admin.updateUserById(id, { app_metadata: { plan: 'pro' } })
  expect(changed.data.user?.app_metadata).toMatchObject({ provider: 'email', plan: 'pro' })
  expect((await auth.admin.getUserById(id)).data.user?.id).toBe(id)
  const listed = await auth.admin.listUsers({ page: 1, perPage: 2 })
  expect(listed.data.users).toHaveLength(2)
  expect((listed.data as { total: number }).total).toBeGreaterThan(2)
  await auth.admin.updateUserById(id, { ban_duration: '1h' })
  expect((await api.client().auth.signInWithPassword({ email, password })).error).toMatchObject({ code: 'user_banned' })
  await auth.admin.updateUserById(id, { ban_duration: 'none' })
  expect((await api.client().auth.signInWithPassword({ email, password })).error).toBeNull()
  expect((await auth.admin.deleteUser(id)).error).toBeNull()
  expect((await auth.admin.getUserById(id)).error).toMatchObject({ code: 'user_not_found', status: 404 })
})

test('a soft delete keeps the id for rows that name it, and nothing of who it was', async () => {
  const { user, email } = await signUp()
  const { auth } = api.client(api.keys.serviceRoleKey)
  await auth.admin.updateUserById(user.id, { user_metadata: { name: 'Dot' } })
  expect((await auth.admin.deleteUser(user.id, true)).error).toBeNull()
  const left = await api.database.query<{ whole: string }>(
    `select row_to_json(u)::text || coalesce(string_agg(row_to_json(i)::text, ''), '') as whole
    from auth.users u left join auth.identities i on i.user_id = u.id where u.id = $1 group by u.id`,
    [user.id],
  )
  expect(left).toHaveLength(1)
  expect(left[0]!.whole).not.toMatch(new RegExp(`${email}|Dot|argon2`))
  expect((await api.client().auth.signInWithPassword({ email, password })).error).toMatchObject({
    code: 'invalid_credentials',
  })
  expect((await signUp(email)).user.id).not.toBe(user.id)
})

const hashesOfOthers = {
  bcrypt: async () => {
    const text = `select extensions.crypt($1, extensions.gen_salt('bf', 6)) as hash`
    return (await api.database.query<{ hash: string }>(text, [password]))[0]!.hash
  },
  argon2id: () => '$argon2id$v=19$m=16384,t=3,p=1$IzBEwFSQRfLI0MxKjZ6T4Q$VrENHdP2KZq4m31gG8xRX3S31ZiYhHi1bowd+YKbE7o',
  argon2i: () => '$argon2i$v=19$m=8192,t=2,p=1$HEeQJ8ID2v2G06ZLGFzKpg$MFy9L4TTBsXhtEWAx25R9vDQRyXVsSWK4tPc1pYxopM',
}

test.each(Object.entries(hashesOfOthers))(
  'accounts of other systems come with their hashes (%s), which are made anew at the first sign-in',
  async (_name, hashOf) => {
    const { auth } = api.client(api.keys.serviceRoleKey)
    const email = newAddress()
    const password_hash = await hashOf()
    const made = await auth.admin.createUser({ email, password_hash, email_confirm: true } as never)
    expect(made.error).toBeNull()
    const wrong = await api.client().auth.signInWithPassword({ email, password: 'wrong horse battery' })
    expect(wrong.error).toMatchObject({ code: 'invalid_credentials' })
    expect((await api.client().auth.signInWithPassword({ email, password })).error).toBeNull()
    const [row] = await api.database.query<{ encrypted_password: string }>(
      'select encrypted_password from auth.users where email = $1',
      [email],
    )
    expect(row!.encrypted_password).toMatch(/^\$argon2id\$v=19\$m=8192,t=1,p=1\$/)
    expect((await api.client().auth.signInWithPassword({ email, password })).error).toBeNull()
  },
)
