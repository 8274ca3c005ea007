import { afterAll, beforeAll, expect, test } from 'vitest'
import { askAuth, codeTo, follow, linkTo, newAddress, newPhone, startConfirmingApi } from './testing/messages.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

let api: Api

beforeAll(async () => {
  api = await startConfirmingApi({
    PANDO_AUTH_RATE_LIMIT_EMAIL_PER_ADDRESS: '1000',
    PANDO_AUTH_SMS_FREQUENCY: '0',
    PANDO_AUTH_PHONE_SIGNUP_ENABLED: 'true',
    PANDO_AUTH_PHONE_CONFIRMATIONS: 'true',
    PANDO_AUTH_SMS_TEST_OTP: '4915112345678=424242',
  })
})

afterAll(() => api?.stop())

const password = 'correct horse battery'

const wrong = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0')
const fragmentOf = (url: URL): URLSearchParams => new URLSearchParams(url.hash.slice(1))

test('who signs up has no session before the code from the mail is typed', async () => {
  const email = newAddress()
  const client = api.client()
  const { data, error } = await client.auth.signUp({ email, password, options: { data: { name: 'Ada' } } })
  expect(error).toBeNull()
  expect(data.session).toBeNull()
  expect(data.user).toMatchObject({ email, user_metadata: { name: 'Ada' }, confirmation_sent_at: expect.any(String) })
  expect((await client.auth.signInWithPassword({ email, password })).error).toMatchObject({
    code: 'email_not_confirmed',
  })
  const verified = await client.auth.verifyOtp({ email, token: await codeTo(api, email), type: 'email' })
  expect(verified.error).toBeNull()
  expect(verified.data.user).toMatchObject({ id: data.user!.id, email_confirmed_at: expect.any(String) })
  expect(verified.data.user?.user_metadata).toMatchObject({ email_verified: true })
  expect((await client.auth.signInWithPassword({ email, password })).error).toBeNull()
})

test('the link of a mail sends back with a session in the fragment, once', async () => {
  const email = newAddress()
  await api.client().auth.signUp({ email, password })
  const link = await linkTo(api, email)
  expect(link).toMatch(`${api.url}/auth/v1/verify?token=`)
  const landed = await follow(link)
  expect(landed.origin).toBe('http://127.0.0.1:3000')
  const session = fragmentOf(landed)
  expect(Object.fromEntries(session)).toMatchObject({ type: 'signup', token_type: 'bearer', expires_in: '3600' })
  expect((await api.client().auth.getUser(session.get('access_token')!)).data.user?.email).toBe(email)
  const again = fragmentOf(await follow(link))
  expect(Object.fromEntries(again)).toMatchObject({ error: 'access_denied', error_code: 'otp_expired' })
})

test('a sign-in code by mail makes an account for whoever can read it', async () => {
  const email = newAddress()
  const client = api.client()
  const asked = await client.auth.signInWithOtp({ email, options: { data: { colour: 'green' } } })
  expect(asked).toEqual({ data: { user: null, session: null }, error: null })
  const first = await client.auth.verifyOtp({ email, token: await codeTo(api, email), type: 'email' })
  expect(first.data.user).toMatchObject({ email, user_metadata: { colour: 'green' } })
  const claims = (await client.auth.getClaims()).data?.claims
  expect(claims?.amr).toMatchObject([{ method: 'otp' }])
  await client.auth.signInWithOtp({ email })
  expect((await api.mails(email))[0]!.kind).toBe('magic_link')
  const second = await client.auth.verifyOtp({ email, token: await codeTo(api, email), type: 'email' })
  expect(second.data.user?.id).toBe(first.data.user!.id)
})

test('a code by text message signs in', async () => {
  const phone = newPhone()
  const client = api.client()
  expect((await client.auth.signInWithOtp({ phone: `+${phone}`, options: { channel: 'whatsapp' } })).error).toBeNull()
  const [message] = await api.texts(phone)
  expect(message).toMatchObject({ channel: 'whatsapp', to: phone })
  const { data, error } = await client.auth.verifyOtp({ phone, token: message!.code!, type: 'sms' })
  expect(error).toBeNull()
  expect(data.user).toMatchObject({ phone, app_metadata: { provider: 'phone' } })
})

test('a number with a password: it counts once the code that it gets is typed', async () => {
  const phone = newPhone()
  const client = api.client()
  const signedUp = await client.auth.signUp({ phone: `+${phone}`, password })
  expect(signedUp).toMatchObject({ error: null, data: { session: null, user: { phone } } })
  const early = await api.client().auth.signInWithPassword({ phone: `+${phone}`, password })
  expect(early.error).toMatchObject({ code: 'phone_not_confirmed' })
  const [message] = await api.texts(phone)
  expect((await client.auth.verifyOtp({ phone, token: message!.code!, type: 'sms' })).error).toBeNull()
  const wrongly = await api.client().auth.signInWithPassword({ phone, password: 'wrong horse battery' })
  expect(wrongly.error).toMatchObject({ code: 'invalid_credentials' })
  const { data, error } = await api.client().auth.signInWithPassword({ phone: `+${phone}`, password })
  expect(error).toBeNull()
  expect(data.user).toMatchObject({ phone, app_metadata: { provider: 'phone', providers: ['phone'] } })
  expect(data.user?.phone_confirmed_at).toEqual(expect.any(String))
})

test('a test number gets no message and has its own code', async () => {
  const phone = '4915112345678'
  const client = api.client()
  expect((await client.auth.signInWithOtp({ phone })).error).toBeNull()
  expect(await api.texts(phone)).toEqual([])
  expect((await client.auth.verifyOtp({ phone, token: '424242', type: 'sms' })).error).toBeNull()
})

test('of 50 who type one code at once exactly one gets a session', async () => {
  const email = newAddress()
  await api.client().auth.signInWithOtp({ email })
  const token = await codeTo(api, email)
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => askAuth(api, '/verify', { email, token, type: 'email' })),
  )
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 403]))
  const [sessions] = await api.database.query<{ count: number }>(
    `select count(*)::int from auth.sessions s join auth.users u on u.id = s.user_id where u.email = $1`,
    [email],
  )
  expect(sessions!.count).toBe(1)
})

test('asking for codes and typing them at once disturbs nobody', async () => {
  const email = newAddress()
  await api.client().auth.signInWithOtp({ email })
  const statuses = new Set<number>()
  for (let round = 0; round < 5; round++) {
    const token = await codeTo(api, email)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2 === 0 ? askAuth(api, '/otp', { email }) : askAuth(api, '/verify', { email, token, type: 'email' }),
      ),
    )
    for (const { status } of answers) statuses.add(status)
  }
  expect([...statuses].toSorted()).toEqual([200, 403])
})

const linksOf = {
  'to sign in': (email: string) => api.client().auth.signInWithOtp({ email }),
  'to sign up': (email: string) => api.client().auth.signUp({ email, password }),
  'of an invitation': (email: string) => api.client(api.keys.serviceRoleKey).auth.admin.inviteUserByEmail(email),
  'to recover': async (email: string) => {
    await api.client(api.keys.serviceRoleKey).auth.admin.createUser({ email, password, email_confirm: true })
    return api.client().auth.resetPasswordForEmail(email)
  },
}

test.each(Object.entries(linksOf))(
  'of 50 who follow one link %s at once exactly one gets a session',
  async (_, ask) => {
    const email = newAddress()
    expect((await ask(email)).error).toBeNull()
    const link = await linkTo(api, email)
    const landed = await Promise.all(Array.from({ length: 50 }, () => follow(link)))
    expect(landed.filter((url) => fragmentOf(url).has('access_token'))).toHaveLength(1)
  },
)

test('after five wrong codes the right one is void, and the link is not', async () => {
  const email = newAddress()
  await api.client().auth.signInWithOtp({ email })
  const token = await codeTo(api, email)
  const guesses = await Promise.all(
    Array.from({ length: 5 }, () => askAuth(api, '/verify', { email, token: wrong(token), type: 'email' })),
  )
  expect(guesses.map(({ body }) => (body as { error_code: string }).error_code)).toEqual(Array(5).fill('otp_expired'))
  expect(await askAuth(api, '/verify', { email, token, type: 'email' })).toMatchObject({ status: 403 })
  expect(fragmentOf(await follow(await linkTo(api, email))).has('access_token')).toBe(true)
})

test('of many guesses at once no more than five are heard', async () => {
  const email = newAddress()
  await api.client().auth.signInWithOtp({ email })
  const token = await codeTo(api, email)
  await Promise.all(
    Array.from({ length: 40 }, () => askAuth(api, '/verify', { email, token: wrong(token), type: 'email' })),
  )
  const [row] = await api.database.query<{ code_tries: number }>(
    'select code_tries from auth.one_time_tokens where relates_to = $1',
    [email],
  )
  expect(row!.code_tries).toBe(5)
})

test('a code that is too old, or that another one has replaced, is void', async () => {
  const email = newAddress()
  const client = api.client()
  await client.auth.signInWithOtp({ email })
  const first = await linkTo(api, email)
  await client.auth.signInWithOtp({ email })
  const second = await codeTo(api, email)
  expect(fragmentOf(await follow(first)).get('error_code')).toBe('otp_expired')
  await api.database.query(`update auth.one_time_tokens set expires_at = now() where relates_to = $1`, [email])
  const late = await askAuth(api, '/verify', { email, token: second, type: 'email' })
  expect(late.body).toEqual({ code: 403, error_code: 'otp_expired', msg: 'Token has expired or is invalid' })
})

test('a code of one kind serves no other', async () => {
  const email = newAddress()
  const client = api.client()
  await client.auth.signUp({ email, password })
  await client.auth.verifyOtp({ email, token: await codeTo(api, email), type: 'signup' })
  await client.auth.resetPasswordForEmail(email)
  const token = await codeTo(api, email)
  for (const type of ['email', 'magiclink', 'signup', 'invite', 'email_change'] as const) {
    expect((await client.auth.verifyOtp({ email, token, type })).error).toMatchObject({ code: 'otp_expired' })
  }
  expect((await client.auth.verifyOtp({ email, token, type: 'recovery' })).error).toBeNull()
})

test('a forgotten password: the link lets choose a new one, and all other sessions end', async () => {
  const email = newAddress()
  const phone = api.client()
  await phone.auth.signUp({ email, password })
  await phone.auth.verifyOtp({ email, token: await codeTo(api, email), type: 'signup' })
  const client = api.client()
  expect((await client.auth.resetPasswordForEmail(email)).error).toBeNull()
  const token_hash = (await api.mails(email))[0]!.tokenHash!
  expect((await client.auth.verifyOtp({ token_hash, type: 'recovery' })).error).toBeNull()
  expect((await client.auth.updateUser({ password: 'a much better one' })).error).toBeNull()
  expect((await phone.auth.getUser()).error).not.toBeNull()
  expect((await phone.auth.signInWithPassword({ email, password })).error).toMatchObject({
    code: 'invalid_credentials',
  })
  expect((await phone.auth.signInWithPassword({ email, password: 'a much better one' })).error).toBeNull()
})

test('known and unknown addresses are answered alike', async () => {
  const known = newAddress()
  await api.client().auth.signUp({ email: known, password })
  await api.client().auth.verifyOtp({ email: known, token: await codeTo(api, known), type: 'signup' })
  const waiting = newAddress()
  await api.client().auth.signUp({ email: waiting, password })
  const asked = [
    (email: string) => askAuth(api, '/recover', { email }),
    (email: string) => askAuth(api, '/otp', { email }),
    (email: string) => askAuth(api, '/magiclink', { email }),
    (email: string) => askAuth(api, '/resend', { type: 'signup', email }),
    (email: string) => askAuth(api, '/resend', { type: 'email_change', email }),
  ]
  for (const asks of asked) {
    for (const email of [known, waiting, newAddress()]) {
      expect(await asks(email)).toMatchObject({ status: 200, body: {} })
    }
  }
})

test('a sign-up with an address that is taken looks like one with a new address', async () => {
  const known = newAddress()
  await api.client().auth.signUp({ email: known, password })
  await api.client().auth.verifyOtp({ email: known, token: await codeTo(api, known), type: 'signup' })
  const mails = (await api.mails(known)).length
  const shape = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shape)
    if (typeof value !== 'object' || value === null) return typeof value
    return Object.entries(value).map(([name, member]) => [name, shape(member)])
  }
  const taken = await askAuth(api, '/signup', { email: known, password: 'something else', data: { a: 1 } })
  const fresh = await askAuth(api, '/signup', { email: newAddress(), password: 'something else', data: { a: 1 } })
  expect([taken.status, shape(taken.body)]).toEqual([fresh.status, shape(fresh.body)])
  const again = await askAuth(api, '/signup', { email: known, password: 'something else', data: { a: 1 } })
  expect((again.body as { id: string }).id).toBe((taken.body as { id: string }).id)
  expect(await api.mails(known)).toHaveLength(mails)
  expect((await api.client().auth.signInWithPassword({ email: known, password })).error).toBeNull()
})

test('nobody gets two mails of a kind in a while, whether there is an account or not', async () => {
  const slow = await startApi({
    sql: '',
    environment: { PANDO_AUTH_EMAIL_FREQUENCY: '1h', PANDO_AUTH_RATE_LIMIT_EMAIL_PER_ADDRESS: '1000' },
  })
  try {
    const known = newAddress()
    await slow.client().auth.signUp({ email: known, password })
    const headers = { apikey: slow.keys.anonKey }
    for (const path of ['/recover', '/otp', '/resend']) {
      for (const email of [known, newAddress()]) {
        const body = { email, type: 'signup' }
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => ask(`${slow.url}/auth/v1${path}`, { headers, body })),
        )
        expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array<number>(9).fill(429)])
        const refused = answers.find(({ status }) => status === 429)!
        expect(refused.body).toMatchObject({ error_code: 'over_email_send_rate_limit' })
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3000)
      }
    }
    expect(await slow.mails(known)).toHaveLength(2)
  } finally {
    await slow.stop()
  }
})

test('who asks for no new account is told that there is none', async () => {
  const { error } = await api.client().auth.signInWithOtp({ email: newAddress(), options: { shouldCreateUser: false } })
  expect(error).toMatchObject({ code: 'otp_disabled', status: 422, message: 'Signups not allowed for otp' })
})

test('the database has no code and no link', async () => {
  const email = newAddress()
  await api.client().auth.signInWithOtp({ email })
  const [mail] = await api.mails(email)
  const rows = await api.database.query('select * from auth.one_time_tokens t join auth.users u on u.id = t.user_id')
  const dump = JSON.stringify(rows)
  expect(dump).toContain(email)
  expect(dump).not.toContain(mail!.tokenHash)
  expect(dump).not.toContain(`"${mail!.code}"`)
})
