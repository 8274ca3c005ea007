import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createHmac, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createBrowser } from './testing/browse.ts'
import { type Loopback, type LoopbackAnswer, type LoopbackRequest, startLoopback } from './testing/loopback.ts'
import { documentedProviders } from './testing/provider-answers.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

let api: Api
let peer: Loopback

/** What the peer answers, by method and path, and what it was asked. */
type Answers = Record<string, (request: LoopbackRequest) => LoopbackAnswer>
let answers: Answers
let asked: LoopbackRequest[]

const names = ['azure', 'facebook', 'github', 'twitch', 'twitter', ...documentedProviders.map(({ name }) => name)]

beforeAll(async () => {
  peer = await startLoopback((request) => {
    asked.push(request)
    const answer = answers[`${request.method} ${request.url.pathname}`]
    return answer === undefined ? { status: 404, json: {} } : answer(request)
  })
  const enable = (name: string) => ({
    [`PANDO_AUTH_EXTERNAL_${name.toUpperCase()}_ENABLED`]: 'true',
    [`PANDO_AUTH_EXTERNAL_${name.toUpperCase()}_CLIENT_ID`]: 'our-id',
    [`PANDO_AUTH_EXTERNAL_${name.toUpperCase()}_SECRET`]: 'our-secret',
    [`PANDO_AUTH_EXTERNAL_${name.toUpperCase()}_URL`]: peer.url,
  })
  api = await startApi({
    sql: '',
    environment: {
      ...Object.assign({}, ...names.map(enable)),
      PANDO_ISSUERS_FETCH_TIMEOUT: '1s',
      PANDO_ISSUERS_DOCUMENT_BYTES_MAX: '64kb',
      PANDO_LOG_LEVEL: 'silent',
    },
  })
})

beforeEach(() => {
  asked = []
  answers = {}
})

afterAll(async () => {
  await api?.stop()
  await peer?.stop()
})

/** Goes to the provider, which may prepare its answers for what it is asked, and comes back at once with a code. */
async function signIn(provider: string, prepare?: (sent: URLSearchParams) => Promise<Answers>) {
  const browser = createBrowser()
  const leaving = await browser.visit(`${api.url}/auth/v1/authorize?${new URLSearchParams({ provider })}`)
  const sent = new URL(leaving.headers.get('location')!).searchParams
  if (prepare !== undefined) answers = await prepare(sent)
  const back = new URLSearchParams({ code: 'the-code', state: sent.get('state')! })
  const place = new URL((await browser.visit(`${api.url}/auth/v1/callback?${back}`)).headers.get('location')!)
  return { sent, place, session: Object.fromEntries(new URLSearchParams(place.hash.slice(1))) }
}

async function userOf(session: Record<string, string>) {
  return (await api.client().auth.getUser(session['access_token'])).data.user!
}

const token = { json: { access_token: 'their-token', token_type: 'bearer', scope: 'user:email' } }
const github = {
  'POST /login/oauth/access_token': () => token,
  'GET /api/v3/user': () => ({
    json: { id: 583231, login: 'octocat', name: 'The Octocat', avatar_url: 'https://a.example/u/1', email: null },
  }),
  'GET /api/v3/user/emails': () => ({
    json: [
      { email: 'old@example.com', primary: false, verified: true },
      { email: 'Octocat@GitHub.example', primary: true, verified: true },
    ],
  }),
}

test('GitHub: the primary address of the list, the number as the name of the person, PKCE towards it', async () => {
  answers = github
  const { sent, session } = await signIn('github')
  expect(Object.fromEntries(sent)).toMatchObject({
    client_id: 'our-id',
    scope: 'user:email',
    code_challenge_method: 'S256',
  })
  const exchange = new URLSearchParams(asked[0]!.body)
  expect(Object.fromEntries(exchange)).toMatchObject({
    grant_type: 'authorization_code',
    code: 'the-code',
    client_secret: 'our-secret',
    redirect_uri: `${api.url}/auth/v1/callback`,
    code_verifier: expect.any(String),
  })
  expect(asked[1]!.headers).toMatchObject({ authorization: 'Bearer their-token', 'user-agent': 'pando' })
  expect(await userOf(session)).toMatchObject({
    email: 'octocat@github.example',
    user_metadata: { user_name: 'octocat', full_name: 'The Octocat', avatar_url: 'https://a.example/u/1' },
    identities: [{ provider: 'github', id: '583231' }],
  })
})

test('Facebook: what it tells is asked for with the proof that the token is ours', async () => {
  answers = {
    'POST /oauth/access_token': () => ({
      json: { access_token: 'their-token', token_type: 'bearer', expires_in: 5000 },
    }),
    'GET /me': () => ({
      json: {
        id: '10224',
        name: 'Ada',
        first_name: 'Ada',
        last_name: 'Lovelace',
        email: 'ada@facebook.example',
        picture: { data: { url: 'https://f.example/p' } },
      },
    }),
  }
  const { session } = await signIn('facebook')
  const proof = createHmac('sha256', 'our-secret').update('their-token').digest('hex')
  expect(asked[1]!.url.searchParams.get('appsecret_proof')).toBe(proof)
  expect(await userOf(session)).toMatchObject({
    email: 'ada@facebook.example',
    user_metadata: { full_name: 'Ada Lovelace', avatar_url: 'https://f.example/p', email_verified: true },
    identities: [{ provider: 'facebook', id: '10224' }],
  })
})

const basic = `Basic ${Buffer.from('our-id:our-secret').toString('base64')}`

test('X: OAuth 2.0 with PKCE and our secret in the header', async () => {
  answers = {
    'POST /2/oauth2/token': () => ({
      json: { access_token: 'x', refresh_token: 'y', token_type: 'bearer', scope: 'a b' },
    }),
    'GET /2/users/me': () => ({
      json: { data: { id: '2244994945', name: 'X Dev', username: 'xdev', confirmed_email: 'dev@x.example' } },
    }),
  }
  const { sent, session } = await signIn('twitter')
  expect(sent.get('code_challenge')).toEqual(expect.any(String))
  expect(asked[0]!.headers.authorization).toBe(basic)
  expect(session['provider_refresh_token']).toBe('y')
  expect(await userOf(session)).toMatchObject({
    email: 'dev@x.example',
    identities: [{ provider: 'twitter', id: '2244994945' }],
  })
})

test('Twitch writes its scopes as a list, and wants to know our id', async () => {
  answers = {
    'POST /oauth2/token': () => ({ json: { access_token: 't', token_type: 'bearer', scope: ['user:read:email'] } }),
    'GET /helix/users': () => ({ json: { data: [{ id: '44', login: 'gamer', email: 'gamer@twitch.example' }] } }),
  }
  const { session } = await signIn('twitch')
  expect(asked[1]!.headers['client-id']).toBe('our-id')
  expect((await userOf(session)).email).toBe('gamer@twitch.example')
})

test.each(documentedProviders)('$name tells who somebody is as its documentation shows', async (provider) => {
  const { name, clientAuth, email, id, isVerified, metadata } = provider
  const given = Object.entries(provider.answers).map(([path, json]) => [`GET ${path}`, () => ({ json })])
  answers = { [`POST ${provider.token}`]: () => token, ...Object.fromEntries(given) }
  const { session } = await signIn(name)
  expect(asked[0]!.headers.authorization).toBe(clientAuth === 'basic' ? basic : undefined)
  expect(asked[0]!.body.includes('client_secret=our-secret')).toBe(clientAuth === 'post')
  expect(await userOf(session)).toMatchObject({
    email,
    app_metadata: { provider: name },
    user_metadata: { ...metadata, email_verified: isVerified },
    identities: [{ provider: name, id }],
  })
})

test.each([
  [{ verified: 1, login_types: [100] }, true],
  [{ verified: 0, login_types: [100] }, false],
  [{ verified: 0, login_types: [1, 100] }, false],
  [{ verified: 0, login_types: [] }, false],
  [{ verified: 0 }, false],
  [{ verified: 0, login_type: '1' }, true],
])('Zoom: an address of %j is proven: %s', async (told, isVerified) => {
  const id = randomUUID()
  const json = { id, email: `${id}@example.com`, ...told }
  answers = { 'POST /oauth/token': () => token, 'GET /v2/users/me': () => ({ json }) }
  const user = await userOf((await signIn('zoom')).session)
  expect(user.user_metadata['email_verified']).toBe(isVerified)
})

test('Microsoft: an ID token of the configured tenant', async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'theirs', alg: 'RS256', use: 'sig' }
  const { sent, session } = await signIn('azure', async (asks) => {
    const claims = { iss: `${peer.url}/v2.0`, sub: 'm-1', nonce: asks.get('nonce'), email: 'eva@azure.example' }
    const unsigned = new SignJWT(claims).setAudience('our-id').setIssuedAt().setExpirationTime('5m')
    const signed = await unsigned.setProtectedHeader({ alg: 'RS256', kid: 'theirs' }).sign(privateKey)
    return {
      'POST /oauth2/v2.0/token': () => ({ json: { ...token.json, id_token: signed } }),
      'GET /discovery/v2.0/keys': () => ({ json: { keys: [jwk] } }),
    }
  })
  expect(sent.get('scope')).toBe('openid email profile')
  expect(await userOf(session)).toMatchObject({
    email: 'eva@azure.example',
    identities: [{ provider: 'azure', id: 'm-1' }],
  })
})

const wrongs: readonly [string, Answers][] = [
  [
    'refuses the code',
    { ...github, 'POST /login/oauth/access_token': () => ({ status: 400, json: { error: 'invalid_grant' } }) },
  ],
  [
    'refuses it and says 200',
    { ...github, 'POST /login/oauth/access_token': () => ({ json: { error: 'bad_verification_code' } }) },
  ],
  ['answers 500', { ...github, 'POST /login/oauth/access_token': () => ({ status: 500, text: 'oops' }) }],
  ['answers no JSON', { ...github, 'POST /login/oauth/access_token': () => ({ text: '{"access_token":' }) }],
  ['answers a list', { ...github, 'POST /login/oauth/access_token': () => ({ json: ['access_token'] }) }],
  [
    'gives a token that is an object',
    { ...github, 'POST /login/oauth/access_token': () => ({ json: { ...token.json, access_token: {} } }) },
  ],
  ['never answers', { ...github, 'POST /login/oauth/access_token': () => undefined }],
  ['answers without end', { ...github, 'GET /api/v3/user': () => ({ json: { id: 1, name: 'x'.repeat(100_000) } }) }],
  ['does not say who', { ...github, 'GET /api/v3/user': () => ({ json: { login: 'octocat' } }) }],
  ['names an object', { ...github, 'GET /api/v3/user': () => ({ json: { id: { $ne: null } } }) }],
  ['names an empty text', { ...github, 'GET /api/v3/user': () => ({ json: { id: '' } }) }],
  ['keeps the addresses to itself', { ...github, 'GET /api/v3/user/emails': () => ({ status: 403, json: {} }) }],
  ['sends on to elsewhere', { ...github, 'GET /api/v3/user': () => ({ status: 302, json: {} }) }],
]

test.each(wrongs)('a provider that %s signs nobody in, and the app learns it', async (_name, wrong) => {
  answers = wrong
  const { place, session } = await signIn('github')
  expect(session).not.toHaveProperty('access_token')
  expect(place.searchParams.get('error')).toBe('server_error')
  expect(place.searchParams.get('error_code')).toBe('unexpected_failure')
  expect(place.href).not.toContain('our-secret')
})

test('texts that Postgres cannot store, and addresses that are none, do no harm', async () => {
  answers = {
    ...github,
    'GET /api/v3/user': () => ({ json: { id: 77, name: 'a\u0000b\ud800', login: 'x'.repeat(5000) } }),
    'GET /api/v3/user/emails': () => ({
      json: [
        null,
        { email: 'not an address', primary: true, verified: true },
        { email: 'ok@example.com', verified: true },
      ],
    }),
  }
  const user = await userOf((await signIn('github')).session)
  expect(user.email).toBe('ok@example.com')
  expect(user.user_metadata['name']).toBe('ab\ufffd')
  expect(user.user_metadata['user_name']).toHaveLength(2000)
})

test('who is signed out of sign-ups stays outside', async () => {
  const closed = await startApi({
    sql: '',
    environment: {
      PANDO_AUTH_EXTERNAL_GITHUB_ENABLED: 'true',
      PANDO_AUTH_EXTERNAL_GITHUB_CLIENT_ID: 'our-id',
      PANDO_AUTH_EXTERNAL_GITHUB_SECRET: 'our-secret',
      PANDO_AUTH_EXTERNAL_GITHUB_URL: peer.url,
      PANDO_AUTH_SIGNUP_ENABLED: 'false',
    },
  })
  const open = api
  try {
    api = closed
    answers = github
    const { place } = await signIn('github')
    expect(Object.fromEntries(place.searchParams)).toMatchObject({
      error: 'access_denied',
      error_code: 'signup_disabled',
    })
  } finally {
    api = open
    await closed.stop()
  }
})

test('an enabled provider without its id or secret keeps the node from starting', async () => {
  const environment = { PANDO_AUTH_EXTERNAL_GITHUB_ENABLED: 'true', PANDO_AUTH_EXTERNAL_KEYCLOAK_ENABLED: 'true' }
  const failing = startApi({ sql: '', environment })
  await expect(failing).rejects.toThrow(
    /github.secret is missing[^]*github.client_id is missing[^]*keycloak.url is missing/,
  )
  expect((await ask(`${api.url}/auth/v1/health`)).status).toBe(200)
})
