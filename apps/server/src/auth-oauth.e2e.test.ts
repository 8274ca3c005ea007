import { createClient } from '@supabase/supabase-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Browser, createBrowser } from './testing/browse.ts'
import {
  clientId,
  clientSecret,
  type IdentityProvider,
  knownAs,
  linkingEnvironment,
  startIdentityProvider,
} from './testing/identity-provider.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

let api: Api
let provider: IdentityProvider

const app = 'http://127.0.0.1:3000/welcome'
/** Providers of OpenID Connect that nothing else sets apart. */
const byIdToken = ['keycloak', 'linkedin_oidc', 'slack_oidc']

beforeAll(async () => {
  provider = await startIdentityProvider(() => `${api.url}/auth/v1/callback`)
  api = await startApi({
    sql: '',
    environment: {
      ...linkingEnvironment,
      ...knownAs('google', provider.issuer),
      ...knownAs('apple', provider.issuer),
      ...Object.assign({}, ...byIdToken.map((name) => knownAs(name, provider.issuer))),
      // Browsers that come back show no key.
      PANDO_JWT_ANONYMOUS_ALLOWED: 'false',
      PANDO_AUTH_EXTERNAL_OIDC: JSON.stringify([
        { name: 'acme', issuer: provider.issuer, client_id: [clientId], secret: clientSecret },
      ]),
    },
  })
})

afterAll(async () => {
  await api?.stop()
  await provider?.stop()
})

const isApp = (url: URL): boolean => url.href.startsWith(app.slice(0, 21))
const isCallback = (url: URL): boolean => url.pathname === '/auth/v1/callback'
const authorizeUrl = (parameters: Record<string, string>): string =>
  `${api.url}/auth/v1/authorize?${new URLSearchParams({ provider: 'custom:acme', redirect_to: app, ...parameters })}`
const fragmentOf = (url: URL): Record<string, string> => Object.fromEntries(new URLSearchParams(url.hash.slice(1)))

let people = 0
function newPerson(claims: Record<string, unknown> = {}): { sub: string; email: string } {
  const sub = `person-${++people}`
  const email = `${sub}@example.com`
  provider.people.set(sub, { sub, email, email_verified: true, name: 'Ada Lovelace', ...claims })
  return { sub, email: String(claims['email'] ?? email) }
}

/** Signs in without PKCE, as a web page does. */
async function signIn(sub: string, browser: Browser = createBrowser(), parameters: Record<string, string> = {}) {
  return browser.go(authorizeUrl({ login_hint: sub, ...parameters }), isApp)
}

test('somebody who signs in at a provider has a session in the fragment and an account with what it told', async () => {
  const { sub, email } = newPerson()
  const url = await signIn(sub)
  const session = fragmentOf(url)
  expect(session).toMatchObject({ token_type: 'bearer', expires_in: '3600', provider_token: expect.any(String) })
  const { data } = await api.client(session['access_token']).auth.getUser(session['access_token'])
  expect(data.user).toMatchObject({
    email,
    app_metadata: { provider: 'custom:acme', providers: ['custom:acme'] },
    user_metadata: { name: 'Ada Lovelace', full_name: 'Ada Lovelace', email, email_verified: true, sub },
    identities: [{ provider: 'custom:acme', id: sub, identity_data: { iss: provider.issuer, sub } }],
  })
  expect(data.user?.email_confirmed_at).toEqual(expect.any(String))
  const again = fragmentOf(await signIn(sub))
  const { data: same } = await api.client().auth.getUser(again['access_token'])
  expect(same.user?.id).toBe(data.user?.id)
})

test.each(['google', ...byIdToken])('somebody who signs in at %s is who its ID token says', async (name) => {
  const { sub, email } = newPerson()
  const session = fragmentOf(await signIn(sub, createBrowser(), { provider: name }))
  const { data } = await api.client().auth.getUser(session['access_token'])
  expect(data.user).toMatchObject({
    email,
    app_metadata: { provider: name },
    identities: [{ provider: name, id: sub }],
  })
})

/** The official client with PKCE, which keeps its verifier in memory. */
function pkceClient() {
  const memory = new Map<string, string>()
  const storage = {
    getItem: (key: string) => memory.get(key) ?? null,
    setItem: (key: string, value: string) => void memory.set(key, value),
    removeItem: (key: string) => void memory.delete(key),
  }
  const auth = { flowType: 'pkce', storage, autoRefreshToken: false, detectSessionInUrl: false } as const
  return createClient(api.url, api.keys.anonKey, { auth })
}

async function startPkce(sub: string, queryParams: Record<string, string> = {}) {
  const client = pkceClient()
  const { data } = await client.auth.signInWithOAuth({
    provider: 'custom:acme' as never,
    options: { redirectTo: app, skipBrowserRedirect: true, queryParams: { login_hint: sub, ...queryParams } },
  })
  return { client, url: data.url! }
}

test('an app with PKCE gets a code, and for it a session with the tokens of the provider', async () => {
  const { sub, email } = newPerson()
  const { client, url } = await startPkce(sub)
  const back = await createBrowser().go(url, isApp)
  expect(back.hash).toBe('')
  const { data, error } = await client.auth.exchangeCodeForSession(back.searchParams.get('code')!)
  expect(error).toBeNull()
  expect(data.user?.email).toBe(email)
  expect(data.session?.provider_token).toEqual(expect.any(String))
})

test('when somebody proved themselves at the provider is known after a redirect too, where the app asks for it', async () => {
  const { client, url } = await startPkce(newPerson().sub, { max_age: '600' })
  const back = await createBrowser().go(url, isApp)
  await client.auth.exchangeCodeForSession(back.searchParams.get('code')!)
  const { data } = await client.auth.getClaims()
  expect(data?.claims).toMatchObject({ provider_proof: { iss: provider.issuer, auth_time: expect.any(Number) } })
})

test('of 50 exchanges of one code exactly one gets a session', async () => {
  const { sub } = newPerson()
  const verifier = 'v'.repeat(43)
  const url = authorizeUrl({ login_hint: sub, code_challenge: verifier, code_challenge_method: 'plain' })
  const back = await createBrowser().go(url, isApp)
  const exchange = () =>
    ask(`${api.url}/auth/v1/token?grant_type=pkce`, {
      body: { auth_code: back.searchParams.get('code'), code_verifier: verifier },
      headers: { apikey: api.keys.anonKey },
    })
  const answers = await Promise.all(Array.from({ length: 50 }, exchange))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
})

test('of 50 returns with one state exactly one makes a session', async () => {
  const { sub } = newPerson()
  const browser = createBrowser()
  const callback = await browser.go(authorizeUrl({ login_hint: sub }), isCallback)
  const answers = await Promise.all(Array.from({ length: 50 }, () => browser.visit(callback.href)))
  const places = answers.map((answer) => new URL(answer.headers.get('location')!))
  const errors = places.map((place) => fragmentOf(place)['error_code']).filter((code) => code !== undefined)
  expect(errors).toEqual(Array.from({ length: 49 }, () => 'bad_oauth_state'))
})

test('nobody is signed in with the return of another browser', async () => {
  const { sub } = newPerson()
  const callback = await createBrowser().go(authorizeUrl({ login_hint: sub }), isCallback)
  const victim = createBrowser()
  await victim.visit(authorizeUrl({}))
  const place = new URL((await victim.visit(callback.href)).headers.get('location')!)
  expect(fragmentOf(place)).toMatchObject({ error: 'invalid_request', error_code: 'bad_oauth_state', sb: '' })
  expect(place.searchParams.get('error_code')).toBe('bad_oauth_state')
})

test('a code that was slipped into the flow of somebody else is refused', async () => {
  const [attacker, victim] = [newPerson(), newPerson()]
  const stolen = await createBrowser().go(authorizeUrl({ login_hint: attacker.sub }), isCallback)
  const browser = createBrowser()
  const callback = await browser.go(authorizeUrl({ login_hint: victim.sub }), isCallback)
  callback.searchParams.set('code', stolen.searchParams.get('code')!)
  const place = new URL((await browser.visit(callback.href)).headers.get('location')!)
  expect(fragmentOf(place)).toMatchObject({ error: 'server_error', error_code: 'unexpected_failure' })
})

test.each([
  ['names another issuer', 'https://another.example'],
  ['names no issuer where the provider always does', undefined],
])('a return that %s is refused', async (_name, issuer) => {
  const browser = createBrowser()
  const callback = await browser.go(authorizeUrl({ login_hint: newPerson().sub }), isCallback)
  callback.searchParams.delete('iss')
  if (issuer !== undefined) callback.searchParams.set('iss', issuer)
  const place = new URL((await browser.visit(callback.href)).headers.get('location')!)
  expect(fragmentOf(place)).toMatchObject({ error: 'server_error', error_code: 'unexpected_failure' })
})

test.each([
  ['an unknown state', { state: 'x'.repeat(43), code: 'c' }, 'bad_oauth_state'],
  ['no state', { code: 'c' }, 'bad_oauth_callback'],
])('a return with %s leads to the site with an error', async (_name, parameters, code) => {
  const answer = await ask(`${api.url}/auth/v1/callback?${new URLSearchParams(parameters as Record<string, string>)}`)
  expect(answer.status).toBe(302)
  const place = new URL(answer.headers.get('location')!)
  expect(place.origin).toBe('http://127.0.0.1:3000')
  expect(place.searchParams.get('error_code')).toBe(code)
})

test('what the provider says went wrong reaches the app', async () => {
  const browser = createBrowser()
  const leaving = new URL((await browser.visit(authorizeUrl({}))).headers.get('location')!)
  const state = leaving.searchParams.get('state')!
  const parameters = new URLSearchParams({ state, error: 'access_denied', error_description: 'They said no' })
  const place = new URL((await browser.visit(`${api.url}/auth/v1/callback?${parameters}`)).headers.get('location')!)
  expect(place.href.startsWith(app)).toBe(true)
  expect(fragmentOf(place)).toEqual({ error: 'access_denied', error_description: 'They said no', sb: '' })
})

test('state, nonce and PKCE towards the provider are ours, whatever the app adds', async () => {
  const answer = await ask(
    authorizeUrl({
      state: 'mine',
      nonce: 'mine',
      redirect_uri: 'https://evil.example',
      client_id: 'mine',
      response_type: 'token',
      code_verifier: 'mine',
      scopes: 'calendar files',
      prompt: 'login',
      apikey: api.keys.anonKey,
    }),
  )
  const sent = Object.fromEntries(new URL(answer.headers.get('location')!).searchParams)
  expect(sent).toMatchObject({
    client_id: clientId,
    redirect_uri: `${api.url}/auth/v1/callback`,
    response_type: 'code',
    scope: 'openid email profile calendar files',
    prompt: 'login',
    code_challenge_method: 'S256',
    state: expect.stringMatching(/^[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
  })
  expect(Object.keys(sent)).not.toContain('apikey')
  expect(Object.keys(sent)).not.toContain('code_verifier')
  expect(answer.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Lax$/)
})

test.each([
  'https://evil.example/',
  'http://127.0.0.1:3000@evil.example/',
  'http://127.0.0.1:3000.evil.example/',
  String.raw`http://127.0.0.1:3000\@evil.example/`,
  'javascript:alert(1)',
  '//evil.example',
])('nobody is sent to %s', async (redirect_to) => {
  const { sub } = newPerson()
  const place = await signIn(sub, createBrowser(), { redirect_to })
  expect(place.origin).toBe('http://127.0.0.1:3000')
})

test('Apple sends people back with a form, the first time with a name that is a name and nothing else', async () => {
  const { sub, email } = newPerson({ name: undefined })
  const browser = createBrowser()
  const leaving = await browser.visit(authorizeUrl({ provider: 'apple', login_hint: sub }))
  const address = new URL(leaving.headers.get('location')!)
  expect(address.searchParams.get('response_mode')).toBe('form_post')
  expect(address.searchParams.has('code_challenge')).toBe(false)
  const form = new URLSearchParams({
    state: address.searchParams.get('state')!,
    iss: provider.issuer,
    user: JSON.stringify({ name: { firstName: 'Ada', lastName: 'Lovelace' }, email: 'victim@example.com' }),
  })
  form.set('code', await codeOfApple(browser, address))
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await browser.visit(`${api.url}/auth/v1/callback`, { method: 'POST', headers, body: form.toString() })
  const session = fragmentOf(new URL(answer.headers.get('location')!))
  const { data } = await api.client().auth.getUser(session['access_token'])
  expect(data.user).toMatchObject({ email, user_metadata: { full_name: 'Ada Lovelace' } })
})

/** Lets the provider answer in the address instead, to get hold of its code. */
async function codeOfApple(browser: Browser, address: URL): Promise<string> {
  const url = new URL(address)
  url.searchParams.set('response_mode', 'query')
  url.searchParams.set('scope', 'openid email profile')
  return (await browser.go(url.href, isCallback)).searchParams.get('code')!
}

test('a provider that is not enabled is refused before anybody leaves', async () => {
  const answer = await ask(authorizeUrl({ provider: 'github' }))
  expect(answer.status).toBe(400)
  expect(answer.body).toMatchObject({
    error_code: 'validation_failed',
    msg: expect.stringContaining('Unsupported provider'),
  })
})

test('the settings tell which providers there are', async () => {
  const { body } = await ask(`${api.url}/auth/v1/settings`, { headers: { apikey: api.keys.anonKey } })
  expect(body).toMatchObject({ external: { google: true, github: false, apple: true, gitlab: false } })
})
