import { createClient } from '@supabase/supabase-js'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBrowser } from './testing/browse.ts'
import { clientId, clientSecret, type IdentityProvider, startIdentityProvider } from './testing/identity-provider.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

let confirming: Api
let trusting: Api
let provider: IdentityProvider

const app = 'http://127.0.0.1:3000/welcome'
const password = 'correct horse battery'

/** One node confirms addresses, the other takes them as they are told. */
beforeAll(async () => {
  provider = await startIdentityProvider(() => `${confirming.url}/auth/v1/callback`)
  const environment = {
    PANDO_AUTH_EXTERNAL_OIDC: JSON.stringify([
      { name: 'acme', issuer: provider.issuer, client_id: [clientId], secret: clientSecret, skip_nonce_check: true },
      { name: 'second', issuer: provider.issuer, client_id: [clientId], skip_nonce_check: true, email_optional: true },
    ]),
    PANDO_AUTH_MANUAL_LINKING_ENABLED: 'true',
    PANDO_AUTH_ANONYMOUS_ENABLED: 'true',
  }
  confirming = await startApi({ sql: '', environment: { ...environment, PANDO_AUTH_EMAIL_CONFIRMATIONS: 'true' } })
  trusting = await startApi({ sql: '', environment })
})

afterAll(async () => {
  await confirming?.stop()
  await trusting?.stop()
  await provider?.stop()
})

let people = 0
const newSub = (): string => `person-${++people}`

async function signIn(api: Api, claims: Record<string, unknown>, name = 'custom:acme') {
  const answer = await ask(`${api.url}/auth/v1/token?grant_type=id_token`, {
    body: { provider: name, id_token: await provider.sign({ email_verified: true, ...claims }) },
    headers: { apikey: api.keys.anonKey },
  })
  type Body = { error_code?: string; access_token: string; user: { id: string; identities: { provider: string }[] } }
  return { status: answer.status, body: answer.body as Body }
}

const passwordWorks = async (api: Api, email: string): Promise<boolean> =>
  (await api.client().auth.signInWithPassword({ email, password })).error === null

describe('an address that is not proven', () => {
  test('opens no account of somebody else', async () => {
    for (const api of [confirming, trusting]) {
      const email = `${newSub()}@example.com`
      const victim = await signIn(api, { sub: newSub(), email })
      expect(victim.status).toBe(200)
      const attacker = await signIn(api, { sub: newSub(), email, email_verified: false })
      expect([attacker.status, attacker.body.error_code]).toEqual([422, 'provider_email_needs_verification'])
      const same = await signIn(api, { sub: newSub(), email, email_verified: 'false' })
      expect(same.body.error_code).toMatch(/needs_verification|over_email_send_rate_limit/)
    }
  })

  test('is answered alike, known or not, where addresses are confirmed', async () => {
    const email = `${newSub()}@example.com`
    await signIn(confirming, { sub: newSub(), email })
    const known = await signIn(confirming, { sub: newSub(), email, email_verified: false })
    const free = await signIn(confirming, { sub: newSub(), email: `${newSub()}@example.com`, email_verified: false })
    expect(free).toEqual(known)
  })

  test('is proven by the mail that asks its owner; then the same identity signs in', async () => {
    const person = { sub: newSub(), email: `${newSub()}@example.com`, email_verified: false }
    expect((await signIn(confirming, person)).body.error_code).toBe('provider_email_needs_verification')
    const [mail] = await confirming.mails(person.email)
    const answer = await ask(mail!.link!)
    expect(answer.status).toBe(303)
    const { status, body } = await signIn(confirming, person)
    expect(status).toBe(200)
    expect(body.user).toMatchObject({ email: person.email, app_metadata: { providers: ['custom:acme', 'email'] } })
  })

  test('is proven when the provider says so later, without a mail', async () => {
    const person = { sub: newSub(), email: `${newSub()}@example.com` }
    expect((await signIn(confirming, { ...person, email_verified: false })).status).toBe(422)
    const { status, body } = await signIn(confirming, person)
    expect(status).toBe(200)
    expect(body.user).toMatchObject({ email: person.email, app_metadata: { providers: ['custom:acme'] } })
  })

  test('is left out where an address is optional', async () => {
    const email = `${newSub()}@example.com`
    const victim = await signIn(trusting, { sub: newSub(), email })
    const { status, body } = await signIn(trusting, { sub: newSub(), email, email_verified: false }, 'custom:second')
    expect(status).toBe(200)
    expect(body.user.id).not.toBe(victim.body.user.id)
    expect(body.user).toMatchObject({ email: '' })
  })

  test('has to be told at all where it is not optional', async () => {
    expect((await signIn(trusting, { sub: newSub() })).status).toBe(500)
    expect((await signIn(trusting, { sub: newSub() }, 'custom:second')).status).toBe(200)
  })
})

describe('an account that somebody made with the address of a victim', () => {
  test('is the victim’s alone after they sign in at a provider: password, session and identities are gone', async () => {
    const email = `${newSub()}@example.com`
    const attacker = trusting.client()
    const { data } = await attacker.auth.signUp({ email, password, options: { data: { planted: true } } })
    const attackerSub = newSub()
    await ask(`${trusting.url}/auth/v1/token?grant_type=id_token`, {
      body: {
        provider: 'custom:second',
        id_token: await provider.sign({ sub: attackerSub, email: 'attacker@example.com', email_verified: true }),
        link_identity: true,
      },
      headers: { apikey: trusting.keys.anonKey, authorization: `Bearer ${data.session!.access_token}` },
    })
    const victim = await signIn(trusting, { sub: newSub(), email })
    expect(victim.body.user).toMatchObject({
      id: data.user!.id,
      email,
      app_metadata: { provider: 'custom:acme', providers: ['custom:acme'] },
    })
    expect(victim.body.user.identities.map((identity) => identity.provider)).toEqual(['custom:acme'])
    expect(victim.body.user).not.toHaveProperty('user_metadata.planted')
    expect(await passwordWorks(trusting, email)).toBe(false)
    expect((await attacker.auth.refreshSession()).error).not.toBeNull()
    expect((await attacker.auth.getUser()).error).not.toBeNull()
    const back = await signIn(trusting, { sub: attackerSub, email: 'attacker@example.com' }, 'custom:second')
    expect(back.body.user.id).not.toBe(data.user!.id)
  })

  test('is the victim’s alone also while it waits for its confirmation', async () => {
    const email = `${newSub()}@example.com`
    await confirming.client().auth.signUp({ email, password })
    const victim = await signIn(confirming, { sub: newSub(), email })
    expect(victim.status).toBe(200)
    expect(await passwordWorks(confirming, email)).toBe(false)
  })
})

test('a proven address gets another way in, and keeps the others', async () => {
  const email = `${newSub()}@example.com`
  const admin = confirming.client(confirming.keys.serviceRoleKey)
  const { data } = await admin.auth.admin.createUser({ email, password, email_confirm: true })
  const linked = await signIn(confirming, { sub: newSub(), email: email.toUpperCase() })
  expect(linked.body.user).toMatchObject({
    id: data.user!.id,
    app_metadata: { provider: 'email', providers: ['email', 'custom:acme'] },
  })
  expect(await passwordWorks(confirming, email)).toBe(true)
})

test('an identity is its subject: another address of the same person changes nothing', async () => {
  const sub = newSub()
  const first = await signIn(confirming, { sub, email: `${sub}@example.com` })
  const other = `${newSub()}@example.com`
  const owner = await signIn(confirming, { sub: newSub(), email: other })
  const again = await signIn(confirming, { sub, email: other })
  expect(again.body.user).toMatchObject({ id: first.body.user.id, email: `${sub}@example.com` })
  expect(again.body.user.id).not.toBe(owner.body.user.id)
})

describe('linking by hand', () => {
  const s256 = (text: string): string => createHash('sha256').update(text).digest('base64url')
  const verifier = 'v'.repeat(50)

  async function begin(parameters: Record<string, string>) {
    const email = `${newSub()}@example.com`
    const { body } = await signIn(confirming, { sub: newSub(), email })
    const sub = newSub()
    provider.people.set(sub, { sub, email: `${sub}@example.com`, email_verified: true })
    const query = new URLSearchParams({ provider: 'custom:acme', redirect_to: app, login_hint: sub, ...parameters })
    const answer = await ask(`${confirming.url}/auth/v1/user/identities/authorize?${query}`, {
      headers: { apikey: confirming.keys.anonKey, authorization: `Bearer ${body.access_token}` },
    })
    return { user: body.user, token: body.access_token, answer, sub }
  }

  const providersOf = async (token: string) => {
    const { data } = await confirming.client().auth.getUser(token)
    return data.user?.identities?.map(({ id }) => id)
  }
  const isApp = (url: URL): boolean => url.href.startsWith(app)

  test('adds an identity and begins a session', async () => {
    const { answer, token, sub, user } = await begin({ skip_http_redirect: 'true' })
    const { url } = answer.body as { url: string }
    const back = await createBrowser().go(url, isApp)
    expect(new URLSearchParams(back.hash.slice(1)).get('access_token')).toEqual(expect.any(String))
    expect(await providersOf(token)).toContain(sub)
    const again = await signIn(confirming, { sub })
    expect(again.body.user.id).toBe(user.id)
  })

  test('with PKCE adds nothing before the app that asked has shown its verifier', async () => {
    const pkce = { code_challenge: s256(verifier), code_challenge_method: 's256' }
    const { answer, token, sub } = await begin(pkce)
    expect(answer.status).toBe(302)
    const back = await createBrowser().go(answer.headers.get('location')!, isApp)
    expect(await providersOf(token)).not.toContain(sub)
    const exchanged = await ask(`${confirming.url}/auth/v1/token?grant_type=pkce`, {
      body: { auth_code: back.searchParams.get('code'), code_verifier: verifier },
      headers: { apikey: confirming.keys.anonKey },
    })
    expect(exchanged.status).toBe(200)
    expect(await providersOf(token)).toContain(sub)
  })

  test('with PKCE a prepared link gives nothing to whoever opens it, and nothing to whoever prepared it', async () => {
    const { answer, user, token, sub } = await begin({
      code_challenge: s256(verifier),
      code_challenge_method: 's256',
      skip_http_redirect: 'true',
    })
    const back = await createBrowser().go((answer.body as { url: string }).url, isApp)
    const exchanged = await ask(`${confirming.url}/auth/v1/token?grant_type=pkce`, {
      body: { auth_code: back.searchParams.get('code'), code_verifier: 'w'.repeat(50) },
      headers: { apikey: confirming.keys.anonKey },
    })
    expect(exchanged).toMatchObject({ status: 400, body: { error_code: 'bad_code_verifier' } })
    expect(await providersOf(token)).not.toContain(sub)
    const own = await signIn(confirming, { sub, email: `${sub}@example.com` })
    expect(own.body.user.id).not.toBe(user.id)
  })

  test('refuses an identity that is somebody else’s', async () => {
    const { answer, sub } = await begin({ skip_http_redirect: 'true' })
    await signIn(confirming, { sub, email: `${sub}@example.com` })
    const back = await createBrowser().go((answer.body as { url: string }).url, isApp)
    expect(back.searchParams.get('error_code')).toBe('identity_already_exists')
  })

  test('the last identity stays, others go, of two at once only one', async () => {
    const { answer, token, user } = await begin({ skip_http_redirect: 'true' })
    await createBrowser().go((answer.body as { url: string }).url, isApp)
    const client = createClient(confirming.url, confirming.keys.anonKey, {
      global: { headers: { Authorization: `Bearer ${token}` } },
    })
    const { data } = await client.auth.getUser(token)
    const unlink = (id: string) =>
      ask(`${confirming.url}/auth/v1/user/identities/${id}`, {
        method: 'DELETE',
        headers: { apikey: confirming.keys.anonKey, authorization: `Bearer ${token}` },
      })
    const ids = data.user!.identities!.map(({ identity_id }) => identity_id)
    expect(ids).toHaveLength(2)
    expect((await unlink('not-a-uuid')).status).toBe(404)
    expect((await unlink(user.id)).body).toMatchObject({ error_code: 'identity_not_found' })
    const answers = await Promise.all(ids.map(unlink))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 422])
    expect(answers.find(({ status }) => status === 422)?.body).toMatchObject({
      error_code: 'single_identity_not_deletable',
    })
    const { data: after } = await client.auth.getUser(token)
    expect(after.user?.identities).toHaveLength(1)
    expect(after.user?.app_metadata['providers']).toEqual(['custom:acme'])
    expect(after.user?.email).toBe(after.user?.identities?.[0]?.identity_data?.['email'])
  })
})
