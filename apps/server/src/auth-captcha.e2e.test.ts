import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { json, type Peer, type PeerAnswer, startPeer } from './testing/peer.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

const password = 'correct horse battery'
const leaked = 'hunter2 hunter2'

/** Siteverify as both providers answer it: a token is good once. */
function siteverify(): (body: string) => PeerAnswer {
  const used = new Set<string>()
  return (body) => {
    const form = new URLSearchParams(body)
    const token = form.get('response') ?? ''
    const fails = (code: string) => json({ success: false, 'error-codes': [code], messages: [] })
    if (form.get('secret') !== 'the site secret') return fails('invalid-input-secret')
    if (token === 'broken') return { status: 502, body: '<html>' }
    if (!token.startsWith('human')) return fails('invalid-input-response')
    if (used.has(token)) return fails('timeout-or-duplicate')
    used.add(token)
    return json({ success: true, challenge_ts: '2026-01-01T00:00:00.000Z', hostname: 'example.com', 'error-codes': [] })
  }
}

const hash = createHash('sha1').update(leaked).digest('hex').toUpperCase()

/** The range API: hashes without their first five digits, and padding that was seen 0 times. */
function range(path: string): PeerAnswer {
  const padding = '003D68EB55068C33ACE09247EE4C639306B:0\r\n0063CE3F6EB1C4A8B5F4C3A5D2E7B1A9C0D:0'
  const found = path === `/range/${hash.slice(0, 5)}` ? `\r\n${hash.slice(5)}:17043` : ''
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: `${padding}${found}` }
}

let peer: Peer
let api: Api

beforeAll(async () => {
  const verify = siteverify()
  peer = await startPeer(({ path, body }) => (path === '/siteverify' ? verify(body) : range(path)))
  api = await startApi({
    sql: '',
    environment: {
      PANDO_AUTH_CAPTCHA_ENABLED: 'true',
      PANDO_AUTH_CAPTCHA_PROVIDER: 'turnstile',
      PANDO_AUTH_CAPTCHA_SECRET: 'the site secret',
      PANDO_AUTH_CAPTCHA_URL: `${peer.url}/siteverify`,
      PANDO_AUTH_PASSWORD_HIBP_ENABLED: 'true',
      PANDO_AUTH_PASSWORD_HIBP_URL: peer.url,
      PANDO_AUTH_EMAIL_FREQUENCY: '0s',
    },
  })
})

afterAll(async () => {
  await api?.stop()
  await peer?.close()
})

let people = 0
const newAddress = (): string => `human${++people}@example.com`
let tokens = 0
const newToken = (): string => `human ${++tokens}`

async function signUp(captchaToken = newToken()) {
  const client = api.client()
  const email = newAddress()
  return { client, email, ...(await client.auth.signUp({ email, password, options: { captchaToken } })) }
}

test('only humans sign up and in, each token counts once, and the provider hears who asks', async () => {
  const token = newToken()
  const { email, error } = await signUp(token)
  expect(error).toBeNull()
  const form = new URLSearchParams(peer.requests.find(({ path }) => path === '/siteverify')!.body)
  expect(Object.fromEntries(form)).toEqual({ secret: 'the site secret', response: token, remoteip: '127.0.0.1' })
  expect((await signUp(token)).error).toMatchObject({
    code: 'captcha_failed',
    status: 400,
    message: 'captcha protection: request disallowed (timeout-or-duplicate)',
  })
  const { auth } = api.client()
  expect((await auth.signInWithPassword({ email, password })).error).toMatchObject({
    code: 'captcha_failed',
    message: 'captcha protection: request disallowed (no captcha_token found)',
  })
  const options = { captchaToken: newToken() }
  expect((await auth.signInWithPassword({ email, password, options })).error).toBeNull()
})

test('every endpoint that makes work for us or others wants a human', async () => {
  const paths = ['/signup', '/token?grant_type=password', '/otp', '/magiclink', '/recover', '/resend']
  for (const path of paths) {
    const body = { email: newAddress(), password, type: 'signup', gotrue_meta_security: { captcha_token: 'robot' } }
    const refused = await ask(`${api.url}/auth/v1${path}`, { body, headers: { apikey: api.keys.anonKey } })
    expect(refused, path).toMatchObject({ status: 400, body: { error_code: 'captcha_failed' } })
  }
})

test('refreshes and admins need no captcha', async () => {
  const { client, data } = await signUp()
  expect((await client.auth.refreshSession()).error).toBeNull()
  const { auth } = api.client(api.keys.serviceRoleKey)
  expect((await auth.admin.createUser({ email: newAddress(), password })).error).toBeNull()
  expect((await auth.admin.getUserById(data.user!.id)).error).toBeNull()
})

test('when the provider gives no answer nobody passes', async () => {
  const { error } = await signUp('broken')
  expect(error).toMatchObject({ status: 500 })
})

test('a password of a known breach is refused, and its hash stays in the house', async () => {
  const { client } = await signUp()
  const { error } = await client.auth.updateUser({ password: leaked })
  expect(error).toMatchObject({ code: 'weak_password', status: 422, reasons: ['pwned'] })
  const asked = peer.requests.find(({ path }) => path === `/range/${hash.slice(0, 5)}`)!
  expect(asked.headers['add-padding']).toBe('true')
  expect(JSON.stringify(peer.requests)).not.toContain(hash.slice(5))
})
