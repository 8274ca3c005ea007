import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { json, type Peer, type PeerAnswer, startPeer } from './testing/peer.ts'
import { type Api, startApi } from './testing/start-api.ts'

const password = 'correct horse battery'
const secret = 'whsec_bmV3IHNlY3JldCBvZiB0aGUgaG9vaw=='

type Event = {
  readonly metadata: { readonly name: string }
  readonly user: Readonly<Record<string, unknown>>
  readonly email_data: Readonly<Record<string, string>>
  readonly sms: Readonly<Record<string, string>>
}

let answer: PeerAnswer = json({})
let peer: Peer
let api: Api

beforeAll(async () => {
  peer = await startPeer(() => answer)
  const hook = { ENABLED: 'true', URI: `${peer.url}/hook`, SECRETS: `v1,${secret}` }
  const options = ['SEND_EMAIL', 'SEND_SMS'].flatMap((name) =>
    Object.entries(hook).map(([key, value]) => [`PANDO_AUTH_HOOK_${name}_${key}`, value]),
  )
  api = await startApi({
    sql: '',
    environment: {
      ...Object.fromEntries(options),
      PANDO_AUTH_EMAIL_CONFIRMATIONS: 'true',
      PANDO_AUTH_EMAIL_FREQUENCY: '0s',
      PANDO_AUTH_SMS_FREQUENCY: '0s',
      PANDO_AUTH_PHONE_SIGNUP_ENABLED: 'true',
      PANDO_AUTH_PHONE_CONFIRMATIONS: 'true',
      PANDO_AUTH_RATE_LIMIT_SMS_SENT: '2',
    },
  })
})

afterAll(async () => {
  await api?.stop()
  await peer?.close()
})

const events = (): Event[] =>
  peer.requests.map(({ body, headers }) => new Webhook(secret).verify(body, headers as Record<string, string>) as Event)

/** The latest mail to do something; mails are on their way when the answer is given. */
async function mailFor(address: string, action: string): Promise<Event> {
  const find = () =>
    events().findLast(
      ({ user, email_data }) => user['email'] === address && email_data?.['email_action_type'] === action,
    )
  return vi.waitUntil(find, { timeout: 5000 }) as Promise<Event>
}

let people = 0
const newAddress = (): string => `mailed${++people}@example.com`

test('the hook gets what a mail holds, and its code and link are good', async () => {
  const email = newAddress()
  const client = api.client()
  await client.auth.signUp({ email, password, options: { emailRedirectTo: 'http://127.0.0.1:3000/welcome' } })
  const { email_data: mail } = await mailFor(email, 'signup')
  expect(mail).toEqual({
    token: expect.stringMatching(/^\d{6}$/),
    token_hash: expect.any(String),
    redirect_to: 'http://127.0.0.1:3000/welcome',
    email_action_type: 'signup',
    site_url: `${api.url}/auth/v1`,
    token_new: '',
    token_hash_new: '',
    old_email: '',
    old_phone: '',
    provider: '',
    factor_type: '',
  })
  expect((await client.auth.verifyOtp({ email, token: mail['token']!, type: 'signup' })).data.user?.email).toBe(email)
  await client.auth.resetPasswordForEmail(email)
  const { email_data: recovery } = await mailFor(email, 'recovery')
  const byLink = await api.client().auth.verifyOtp({ token_hash: recovery['token_hash']!, type: 'recovery' })
  expect(byLink.data.user?.email).toBe(email)
  expect(await api.mails(email)).toEqual([])
})

test('a change of address is one call with the codes for both', async () => {
  const email = newAddress()
  const next = newAddress()
  const client = api.client()
  await client.auth.signUp({ email, password })
  const { email_data: first } = await mailFor(email, 'signup')
  await client.auth.verifyOtp({ email, token: first['token']!, type: 'signup' })
  expect((await client.auth.updateUser({ email: next })).error).toBeNull()
  const { user, email_data: mail } = await mailFor(email, 'email_change')
  expect(user).toMatchObject({ email, new_email: next })
  const calls = events().filter(({ email_data }) => email_data?.['email_action_type'] === 'email_change')
  expect(calls).toHaveLength(1)
  // The names are crossed, as on the wire that projects know.
  await client.auth.verifyOtp({ token_hash: mail['token_hash_new']!, type: 'email_change' })
  const confirmed = await client.auth.verifyOtp({ email: next, token: mail['token_new']!, type: 'email_change' })
  expect(confirmed.data.user?.email).toBe(next)
})

test('what a hook says is told to who knows that there is an account, and to nobody else', async () => {
  const email = newAddress()
  const { auth } = api.client(api.keys.serviceRoleKey)
  await auth.admin.createUser({ email, password, email_confirm: true })
  answer = json({ error: { http_code: 400, message: 'No mails today' } })
  try {
    expect((await api.client().auth.resetPasswordForEmail(email)).error).toBeNull()
    expect((await api.client().auth.resetPasswordForEmail(newAddress())).error).toBeNull()
    expect((await auth.admin.inviteUserByEmail(newAddress())).error).toMatchObject({ message: 'No mails today' })
  } finally {
    answer = json({})
  }
})

test('the hook sends text messages, as many as the installation may', async () => {
  const client = api.client()
  const phone = '15550001111'
  expect((await client.auth.signInWithOtp({ phone })).error).toBeNull()
  const { sms, user } = events().findLast((event) => event.sms !== undefined)!
  expect(sms).toEqual({ otp: expect.stringMatching(/^\d{6}$/), phone })
  expect(user).toMatchObject({ phone })
  expect((await client.auth.verifyOtp({ phone, token: sms['otp']!, type: 'sms' })).data.user?.phone).toBe(phone)
  expect((await client.auth.signInWithOtp({ phone: '15550002222' })).error).toBeNull()
  const { error } = await client.auth.signInWithOtp({ phone: '15550003333' })
  expect(error).toMatchObject({ code: 'over_sms_send_rate_limit', status: 429, message: 'SMS rate limit exceeded' })
})
