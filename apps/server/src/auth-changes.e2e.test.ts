import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeByText, codeTo, follow, linkTo, newAddress, newPhone } from './testing/messages.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

let api: Api

beforeAll(async () => {
  api = await startApi({
    sql: '',
    environment: {
      PANDO_AUTH_ANONYMOUS_ENABLED: 'true',
      PANDO_AUTH_EMAIL_CONFIRMATIONS: 'true',
      PANDO_AUTH_EMAIL_FREQUENCY: '0',
      PANDO_AUTH_EMAIL_SECURE_PASSWORD_CHANGE: 'true',
      PANDO_AUTH_SMS_FREQUENCY: '1h',
      PANDO_AUTH_PHONE_SIGNUP_ENABLED: 'true',
      PANDO_AUTH_PHONE_CONFIRMATIONS: 'true',
    },
  })
})

afterAll(() => api?.stop())

const password = 'correct horse battery'

const asAdmin = () => api.client(api.keys.serviceRoleKey).auth.admin

async function signUp(email = newAddress()) {
  const client = api.client()
  await client.auth.signUp({ email, password })
  const { data } = await client.auth.verifyOtp({ email, token: await codeTo(api, email), type: 'signup' })
  return { client, email, user: data.user!, session: data.session! }
}

test('a new address counts when both the old and the new one have agreed', async () => {
  const { client, email } = await signUp()
  const next = newAddress()
  const { data } = await client.auth.updateUser({ email: next })
  expect(data.user).toMatchObject({ email, new_email: next, email_change_sent_at: expect.any(String) })
  const first = await client.auth.verifyOtp({ email: next, token: await codeTo(api, next), type: 'email_change' })
  expect(first).toEqual({ data: { user: null, session: null }, error: null })
  expect((await client.auth.getUser()).data.user?.email).toBe(email)
  const landed = await follow(await linkTo(api, email))
  expect(new URLSearchParams(landed.hash.slice(1)).get('type')).toBe('email_change')
  const user = (await client.auth.getUser()).data.user!
  expect(user).toMatchObject({ email: next, identities: [{ identity_data: { email: next, email_verified: true } }] })
  expect(user.new_email).toBeUndefined()
  expect((await api.client().auth.signInWithPassword({ email: next, password })).error).toBeNull()
  expect((await api.mails(email))[0]!.kind).toBe('email_changed')
})

test('one side cannot agree for both', async () => {
  const { client, email } = await signUp()
  const next = newAddress()
  await client.auth.updateUser({ email: next })
  await client.auth.verifyOtp({ email: next, token: await codeTo(api, next), type: 'email_change' })
  await client.auth.resend({ type: 'email_change', email })
  await client.auth.verifyOtp({ email: next, token: await codeTo(api, next), type: 'email_change' })
  expect((await client.auth.getUser()).data.user?.email).toBe(email)
})

test('both sides at once agree once', async () => {
  const { client, email } = await signUp()
  const next = newAddress()
  await client.auth.updateUser({ email: next })
  const links = [await linkTo(api, next), await linkTo(api, email)]
  const landed = await Promise.all(links.map((link) => ask(link)))
  const locations = landed.map(({ headers }) => headers.get('location')!)
  expect(locations.filter((location) => location.includes('access_token'))).toHaveLength(1)
  expect(locations.filter((location) => location.includes('Confirmation+link+accepted'))).toHaveLength(1)
  expect((await client.auth.getUser()).data.user?.email).toBe(next)
})

test('an address that is taken cannot be had, now or when it is confirmed', async () => {
  const { client, email } = await signUp()
  const { email: taken } = await signUp()
  expect((await client.auth.updateUser({ email: taken })).error).toMatchObject({ code: 'email_exists', status: 422 })
  const next = newAddress()
  await client.auth.updateUser({ email: next })
  const token = await codeTo(api, next)
  await client.auth.verifyOtp({ email, token: await codeTo(api, email), type: 'email_change' })
  await signUp(next)
  expect((await client.auth.verifyOtp({ email: next, token, type: 'email_change' })).error).toMatchObject({
    code: 'email_exists',
  })
})

test('of two who change to one address at once one gets it', async () => {
  const next = newAddress()
  const links: string[] = []
  const people = [await signUp(), await signUp(), await signUp()]
  for (const { client, email } of people) {
    await client.auth.updateUser({ email: next })
    await client.auth.verifyOtp({ email, token: await codeTo(api, email), type: 'email_change' })
    links.push(await linkTo(api, next))
  }
  const landed = await Promise.all(links.map((link) => ask(link)))
  const locations = landed.map(({ headers }) => headers.get('location')!)
  expect(locations.filter((location) => location.includes('access_token'))).toHaveLength(1)
  expect(locations.filter((location) => location.includes('error_code=email_exists'))).toHaveLength(2)
})

test('messages to the old address are void once it is the old one', async () => {
  const { client, email } = await signUp()
  await api.client().auth.resetPasswordForEmail(email)
  const old = await codeTo(api, email)
  const next = newAddress()
  await client.auth.updateUser({ email: next })
  for (const address of [email, next])
    await client.auth.verifyOtp({ email: address, token: await codeTo(api, address), type: 'email_change' })
  expect((await client.auth.verifyOtp({ email, token: old, type: 'recovery' })).error).toMatchObject({ status: 403 })
})

test('a number is changed by the code that it gets, and not asked twice in a while', async () => {
  const { client } = await signUp()
  const phone = newPhone()
  expect((await client.auth.updateUser({ phone })).data.user).toMatchObject({ new_phone: phone })
  const again = await client.auth.updateUser({ phone })
  expect(again.error).toMatchObject({ code: 'over_sms_send_rate_limit', status: 429 })
  const { data } = await client.auth.verifyOtp({ phone, token: await codeByText(api, phone), type: 'phone_change' })
  expect(data.user).toMatchObject({ phone, app_metadata: { providers: ['email', 'phone'] } })
})

test('somebody anonymous keeps the account, with an address and a password', async () => {
  const client = api.client()
  const { data } = await client.auth.signInAnonymously()
  const email = newAddress()
  expect((await client.auth.updateUser({ password })).error).toMatchObject({ code: 'validation_failed' })
  const changed = await client.auth.updateUser({ email })
  expect(changed.data.user).toMatchObject({ is_anonymous: true, new_email: email })
  const verified = await client.auth.verifyOtp({ email, token: await codeTo(api, email), type: 'email_change' })
  expect(verified.data.user).toMatchObject({ id: data.user!.id, email, is_anonymous: false })
  expect(verified.data.user?.app_metadata).toMatchObject({ provider: 'email', providers: ['email'] })
  expect((await client.auth.updateUser({ password })).error).toBeNull()
  expect((await api.client().auth.signInWithPassword({ email, password })).error).toBeNull()
})

test('a new password in an old session needs a code', async () => {
  const { client, email, user } = await signUp()
  expect((await client.auth.updateUser({ password: 'the first new one' })).error).toBeNull()
  await api.database.query(`update auth.sessions set created_at = now() - interval '25 hours' where user_id = $1`, [
    user.id,
  ])
  const bare = await client.auth.updateUser({ password: 'the second new one' })
  expect(bare.error).toMatchObject({ code: 'reauthentication_needed' })
  expect((await client.auth.reauthenticate()).error).toBeNull()
  const nonce = await codeTo(api, email)
  const wrong = String((Number(nonce) + 1) % 1_000_000).padStart(6, '0')
  const refused = await client.auth.updateUser({ password: 'the second new one', nonce: wrong })
  expect(refused.error).toMatchObject({ code: 'reauthentication_not_valid', status: 422 })
  expect((await client.auth.updateUser({ password: 'the second new one', nonce })).error).toBeNull()
  expect((await client.auth.updateUser({ password: 'the third new one', nonce })).error).not.toBeNull()
})

test('who is invited comes in by the link and chooses a password', async () => {
  const email = newAddress()
  const invited = await asAdmin().inviteUserByEmail(email, { data: { team: 'blue' } })
  expect(invited.data.user).toMatchObject({ email, invited_at: expect.any(String), user_metadata: { team: 'blue' } })
  const client = api.client()
  const token_hash = (await api.mails(email))[0]!.tokenHash!
  expect((await client.auth.verifyOtp({ token_hash, type: 'invite' })).error).toBeNull()
  expect((await client.auth.updateUser({ password })).error).toBeNull()
  expect((await asAdmin().inviteUserByEmail(email)).error).toMatchObject({ code: 'email_exists' })
  expect((await client.auth.admin.inviteUserByEmail(newAddress())).error).not.toBeNull()
})

test('an admin makes links of every kind and delivers them alone', async () => {
  const email = newAddress()
  const admin = asAdmin()
  const made = await admin.generateLink({ type: 'signup', email, password, options: { data: { status: 'alpha' } } })
  expect(made.data.user).toMatchObject({ email, user_metadata: { status: 'alpha' } })
  expect(await api.mails(email)).toEqual([])
  const link = new URL(made.data.properties!.action_link)
  expect(link.searchParams.get('type')).toBe('signup')
  const client = api.client()
  const token = made.data.properties!.email_otp
  expect((await client.auth.verifyOtp({ email, token, type: 'signup' })).error).toBeNull()
  expect((await client.auth.signInWithPassword({ email, password })).error).toBeNull()
  for (const type of ['magiclink', 'recovery'] as const) {
    const { data } = await admin.generateLink({ type, email })
    const { error } = await client.auth.verifyOtp({ token_hash: data.properties!.hashed_token, type })
    expect(error).toBeNull()
  }
  const newEmail = newAddress()
  for (const type of ['email_change_current', 'email_change_new'] as const) {
    const { data } = await admin.generateLink({ type, email, newEmail })
    expect(data.user).toMatchObject({ new_email: newEmail })
    await ask(data.properties!.action_link)
  }
  expect((await api.client().auth.signInWithPassword({ email: newEmail, password })).error).toBeNull()
  expect((await admin.generateLink({ type: 'recovery', email: newAddress() })).error).toMatchObject({ status: 404 })
  const fresh = await admin.generateLink({ type: 'magiclink', email: newAddress() })
  expect(fresh.data.properties?.verification_type).toBe('signup')
})
