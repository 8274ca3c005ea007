import { createHash, randomBytes } from 'node:crypto'
import { createClient } from '@supabase/supabase-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askAuth, follow, linkTo, newAddress, startConfirmingApi } from './testing/messages.ts'
import { type Api, ask } from './testing/start-api.ts'

let api: Api

beforeAll(async () => {
  api = await startConfirmingApi({
    PANDO_AUTH_SITE_URL: 'https://roam.example/welcome?from=mail',
    PANDO_AUTH_REDIRECT_URLS: 'roam://**,https://*.roam.example/back',
  })
})

afterAll(() => api?.stop())

const password = 'correct horse battery'

const newVerifier = (): string => randomBytes(32).toString('base64url')
const challengeOf = (verifier: string) => ({
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 's256',
})
const exchange = (code: string | null, verifier: string) =>
  askAuth(api, '/token?grant_type=pkce', { auth_code: code, code_verifier: verifier })

async function codeFor(email: string, verifier: string): Promise<string> {
  await askAuth(api, '/otp', { email, ...challengeOf(verifier) })
  return (await follow(await linkTo(api, email))).searchParams.get('code')!
}

test('a link that an app asked for with a challenge brings a code that only this app can exchange', async () => {
  const email = newAddress()
  const verifier = newVerifier()
  await askAuth(api, '/otp?redirect_to=roam://callback', { email, ...challengeOf(verifier) })
  const landed = await follow(await linkTo(api, email))
  expect(landed.protocol).toBe('roam:')
  expect(landed.hash).toBe('')
  const { status, body } = await exchange(landed.searchParams.get('code'), verifier)
  expect(status).toBe(200)
  expect(body).toMatchObject({ access_token: expect.any(String), user: { email } })
})

test('the official client exchanges the code by itself', async () => {
  const email = newAddress()
  const store = new Map<string, string>()
  const client = createClient(api.url, api.keys.anonKey, {
    auth: {
      flowType: 'pkce',
      autoRefreshToken: false,
      storage: {
        getItem: (name) => store.get(name) ?? null,
        setItem: (name, value) => void store.set(name, value),
        removeItem: (name) => void store.delete(name),
      },
    },
  })
  await client.auth.signInWithOtp({ email, options: { emailRedirectTo: 'roam://callback' } })
  const landed = await follow(await linkTo(api, email))
  const { data, error } = await client.auth.exchangeCodeForSession(landed.searchParams.get('code')!)
  expect(error).toBeNull()
  expect(data.user?.email).toBe(email)
})

test('every message of the wire can be answered with a code', async () => {
  const email = newAddress()
  const verifier = newVerifier()
  await askAuth(api, '/signup', { email, password, ...challengeOf(verifier) })
  const signedUp = await follow(await linkTo(api, email))
  const session = (await exchange(signedUp.searchParams.get('code'), verifier)).body as { access_token: string }
  await askAuth(api, '/recover', { email, ...challengeOf(verifier) })
  const recovered = await follow(await linkTo(api, email))
  expect((await exchange(recovered.searchParams.get('code'), verifier)).status).toBe(200)
  const next = newAddress()
  await ask(`${api.url}/auth/v1/user`, {
    method: 'PUT',
    headers: { apikey: api.keys.anonKey, Authorization: `Bearer ${session.access_token}` },
    body: { email: next, ...challengeOf(verifier) },
  })
  const half = await follow(await linkTo(api, email))
  expect(half.searchParams.get('message')).toMatch(/^Confirmation link accepted/)
  const changed = await follow(await linkTo(api, next))
  const { body } = await exchange(changed.searchParams.get('code'), verifier)
  expect(body).toMatchObject({ user: { email: next } })
})

test('a code is exchanged once, and a wrong verifier uses it up', async () => {
  const [email, verifier] = [newAddress(), newVerifier()]
  const code = await codeFor(email, verifier)
  const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(code, verifier)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  const stolen = await codeFor(email, verifier)
  expect((await exchange(stolen, newVerifier())).body).toMatchObject({ error_code: 'bad_code_verifier' })
  expect((await exchange(stolen, verifier)).body).toMatchObject({ code: 404, error_code: 'flow_state_not_found' })
})

test('a code that is too old buys nothing', async () => {
  const [email, verifier] = [newAddress(), newVerifier()]
  const code = await codeFor(email, verifier)
  await api.database.query(`update auth.flow_state set auth_code_issued_at = now() - interval '6 minutes'`)
  expect((await exchange(code, verifier)).body).toMatchObject({ code: 422, error_code: 'flow_state_expired' })
})

test('the tokens of a flow that nobody finished are worth nothing to whoever has the link', async () => {
  const [email, verifier] = [newAddress(), newVerifier()]
  await askAuth(api, '/otp', { email, ...challengeOf(verifier) })
  const landed = await follow(await linkTo(api, email))
  expect(landed.hash).not.toContain('access_token')
  const spent = await follow(await linkTo(api, email))
  expect(Object.fromEntries(spent.searchParams)).toMatchObject({
    from: 'mail',
    error: 'access_denied',
    error_code: 'otp_expired',
    error_description: 'Email link is invalid or has expired',
  })
  expect(spent.hash).toContain('error_code=otp_expired')
})

test('a challenge must be one', async () => {
  const email = newAddress()
  for (const bad of [
    { code_challenge: 'short', code_challenge_method: 's256' },
    { code_challenge: 'a'.repeat(43) },
    { code_challenge_method: 's256' },
    { code_challenge: 'a'.repeat(43), code_challenge_method: 'md5' },
    { code_challenge: `${'a'.repeat(43)}/`, code_challenge_method: 's256' },
  ]) {
    expect(await askAuth(api, '/otp', { email, ...bad })).toMatchObject({
      status: 400,
      body: { error_code: 'validation_failed' },
    })
  }
})

test('people are sent back only to where the configuration allows', async () => {
  const email = newAddress()
  for (const [asked, landing] of [
    ['https://roam.example/other', 'https://roam.example/other'],
    ['https://eu.roam.example/back', 'https://eu.roam.example/back'],
    ['https://roam.example.evil.example/', 'https://roam.example/welcome'],
    ['https://roam.example@evil.example/', 'https://roam.example/welcome'],
    ['https://roam.example:8443/', 'https://roam.example/welcome'],
    ['https://eu.roam.example/back/../evil', 'https://roam.example/welcome'],
    [String.raw`https://evil.example\@roam.example/`, 'https://roam.example/welcome'],
    ['javascript:alert(1)', 'https://roam.example/welcome'],
  ] as const) {
    await askAuth(api, `/otp?redirect_to=${encodeURIComponent(asked)}`, { email })
    const link = await linkTo(api, email)
    expect(new URL(link).origin).toBe(api.url)
    const landed = await follow(link)
    expect(`${landed.origin}${landed.pathname}`).toBe(landing)
    const rewritten = new URL(link)
    rewritten.searchParams.set('redirect_to', asked)
    const refused = await follow(rewritten.href)
    expect(`${refused.origin}${refused.pathname}`).toBe(landing)
  }
})

test('links name the configured host, whatever the request says', async () => {
  const email = newAddress()
  await ask(`${api.url}/auth/v1/otp`, {
    headers: { apikey: api.keys.anonKey, 'X-Forwarded-Host': 'evil.example', Referer: 'https://evil.example/' },
    body: { email },
  })
  expect(await linkTo(api, email)).toMatch(`${api.url}/auth/v1/verify?`)
  expect(await linkTo(api, email)).not.toContain('evil')
})

test('looking at a link without following it uses nothing up', async () => {
  const email = newAddress()
  await askAuth(api, '/otp', { email })
  const link = await linkTo(api, email)
  await ask(link, { method: 'HEAD' })
  expect((await follow(link)).hash).toContain('access_token')
})
