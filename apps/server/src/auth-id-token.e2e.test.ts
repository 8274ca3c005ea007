import { createHash } from 'node:crypto'
import { exportPKCS8, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  clientId,
  type IdentityProvider,
  linkingEnvironment,
  nativeClientId,
  startIdentityProvider,
} from './testing/identity-provider.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

let api: Api
let provider: IdentityProvider
let other: IdentityProvider

beforeAll(async () => {
  provider = await startIdentityProvider(() => `${api.url}/auth/v1/callback`)
  other = await startIdentityProvider(() => `${api.url}/auth/v1/callback`)
  api = await startApi({
    sql: '',
    environment: {
      ...linkingEnvironment,
      // Without a secret: only native apps sign in.
      PANDO_AUTH_EXTERNAL_GOOGLE_ENABLED: 'true',
      PANDO_AUTH_EXTERNAL_GOOGLE_CLIENT_ID: `${clientId},${nativeClientId}`,
      PANDO_AUTH_EXTERNAL_GOOGLE_URL: provider.issuer,
      PANDO_AUTH_EXTERNAL_OIDC: JSON.stringify([
        { name: 'other', issuer: other.issuer, client_id: [clientId], skip_nonce_check: true },
      ]),
    },
  })
})

afterAll(async () => {
  await api?.stop()
  await provider?.stop()
  await other?.stop()
})

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const nonce = 'a nonce that the phone made'

let people = 0
function newPerson() {
  const sub = `native-${++people}`
  return { sub, email: `${sub}@example.com`, email_verified: true, name: 'Grace Hopper', nonce: sha256(nonce) }
}

const grant = (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
  ask(`${api.url}/auth/v1/token?grant_type=id_token`, {
    body: { provider: 'google', nonce, ...body },
    headers: { apikey: api.keys.anonKey, ...headers },
  })

test('the token that a phone got from its provider is good for a session', async () => {
  const person = newPerson()
  const { data, error } = await api.client().auth.signInWithIdToken({
    provider: 'google',
    token: await provider.sign(person),
    nonce,
  })
  expect(error).toBeNull()
  expect(data.user).toMatchObject({
    email: person.email,
    app_metadata: { provider: 'google', providers: ['google'] },
    user_metadata: { name: 'Grace Hopper', email_verified: true },
    identities: [{ provider: 'google', id: person.sub }],
  })
  const { body } = await grant({ id_token: await provider.sign({ ...person, aud: nativeClientId }) })
  expect(body).toMatchObject({ user: { id: data.user!.id }, token_type: 'bearer' })
})

test('of 50 first sign-ins of one person at once all end in one account', async () => {
  const person = newPerson()
  const token = await provider.sign(person)
  const answers = await Promise.all(Array.from({ length: 50 }, () => grant({ id_token: token })))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(new Set(answers.map(({ body }) => (body as { user: { id: string } }).user.id)).size).toBe(1)
})

const past = Math.floor(Date.now() / 1000) - 3600

test.each<[string, Record<string, unknown>]>([
  ['of another issuer', { iss: 'https://accounts.google.com' }],
  ['with an issuer that only begins alike', { iss: 'http://127.0.0.1' }],
  ['without issuer', { iss: undefined }],
  ['for another audience', { aud: 'another-app' }],
  ['for nobody', { aud: undefined }],
  ['for an audience that only contains ours', { aud: `${clientId}-2` }],
  ['for several, asked for by another', { aud: [clientId, 'another-app'], azp: 'another-app' }],
  ['for several, asked for by nobody', { aud: [clientId, 'another-app'] }],
  ['that has expired', { exp: past }],
  ['without expiry', { exp: undefined }],
  ['from the future', { iat: past + 7200 }],
  ['about nobody', { sub: undefined }],
  ['with an empty subject', { sub: '' }],
  ['with a subject that is no text', { sub: { $ne: null } }],
])('a token %s is refused', async (_name, changes) => {
  const { status, body } = await grant({ id_token: await provider.sign({ ...newPerson(), ...changes }) })
  expect(status).toBe(400)
  expect(body).toMatchObject({
    error: 'invalid request',
    error_description: expect.stringMatching(/^(Bad ID|Unaccept)/),
  })
})

test('forged tokens are refused: unsigned, signed with the public key as a secret, with a key of their own, of another issuer', async () => {
  const claims = { iss: provider.issuer, aud: clientId, exp: past + 7200, ...newPerson() }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const { privateKey } = await generateKeyPair('RS256')
  const forged = [
    `${encode({ alg: 'none' })}.${encode(claims)}.`,
    await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(Buffer.from(provider.publicPem)),
    await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'first' }).sign(privateKey),
    await other.sign(claims),
    'no token at all',
  ]
  for (const token of forged) {
    const { status, body } = await grant({ id_token: token })
    expect([status, body]).toEqual([400, { error: 'invalid request', error_description: 'Bad ID token' }])
  }
})

test('a token of one provider is no token of another', async () => {
  const { status } = await grant({ provider: 'custom:other', id_token: await provider.sign(newPerson()) })
  expect(status).toBe(400)
  const { body } = await grant({ provider: 'custom:other', id_token: await other.sign(newPerson()) })
  expect(body).toMatchObject({ user: { app_metadata: { provider: 'custom:other' } } })
})

test.each<[string, unknown, string | undefined, string]>([
  [
    'the request has none',
    sha256(nonce),
    undefined,
    'Passed nonce and nonce in id_token should either both exist or not.',
  ],
  ['the token has none', undefined, nonce, 'Passed nonce and nonce in id_token should either both exist or not.'],
  ['it is another', sha256('another'), nonce, 'Nonces mismatch'],
  ['the request repeats what is in the token', sha256(nonce), sha256(nonce), 'Nonces mismatch'],
])('the nonce is wrong when %s', async (_name, inToken, given, message) => {
  const { status, body } = await grant({
    id_token: await provider.sign({ ...newPerson(), nonce: inToken as string }),
    nonce: given,
  })
  expect(status).toBe(400)
  expect(body).toMatchObject({ error_description: message })
})

test('an access token beside must be the one that the ID token is about', async () => {
  const at_hash = createHash('sha256').update('the access token').digest().subarray(0, 16).toString('base64url')
  const token = await provider.sign({ ...newPerson(), at_hash })
  expect((await grant({ id_token: token, access_token: 'another' })).status).toBe(400)
  expect((await grant({ id_token: token, access_token: 'the access token' })).status).toBe(200)
})

test.each<[string, Record<string, unknown>, string]>([
  ['no token', {}, 'id_token required'],
  ['neither provider nor issuer', { provider: undefined, id_token: 'x' }, 'provider or client_id and issuer required'],
])('a request with %s is refused', async (_name, body, description) => {
  expect(await grant(body)).toMatchObject({ status: 400, body: { error_description: description } })
})

test.each([
  ['a token that is an object', { id_token: { $gt: '' } }],
  ['a provider that is a list', { provider: ['google'], id_token: 'x' }],
  ['a nonce that is a number', { id_token: 'x', nonce: 1 }],
])('a request with %s is refused before anything is looked up', async (_name, body) => {
  expect(await grant(body)).toMatchObject({ status: 400, body: { error_code: 'bad_json' } })
})

test('a provider that is not enabled is refused', async () => {
  const { status, body } = await grant({ provider: 'apple', id_token: await provider.sign(newPerson()) })
  expect(status).toBe(400)
  expect(body).toMatchObject({ error_code: 'provider_disabled' })
})

test('somebody anonymous becomes permanent with the token of a provider', async () => {
  const client = api.client()
  const { data: before } = await client.auth.signInAnonymously()
  const person = newPerson()
  const { status, body } = await grant(
    { id_token: await provider.sign(person), link_identity: true },
    { authorization: `Bearer ${before.session!.access_token}` },
  )
  expect(status).toBe(200)
  expect(body).toMatchObject({
    user: { id: before.user!.id, is_anonymous: false, email: person.email, app_metadata: { providers: ['google'] } },
  })
  const again = await grant({ id_token: await provider.sign(person) })
  expect(again.body).toMatchObject({ user: { id: before.user!.id } })
})

test('who is not signed in links nothing', async () => {
  const { status, body } = await grant({ id_token: await provider.sign(newPerson()), link_identity: true })
  expect(status).toBe(400)
  expect(body).toMatchObject({ error_description: expect.stringContaining('Linking requires') })
})

test('banned people stay outside', async () => {
  const person = newPerson()
  const { body } = await grant({ id_token: await provider.sign(person) })
  const admin = api.client(api.keys.serviceRoleKey)
  await admin.auth.admin.updateUserById((body as { user: { id: string } }).user.id, { ban_duration: '1h' })
  const answer = await grant({ id_token: await provider.sign(person) })
  expect(answer.status).toBe(403)
  expect(answer.body).toMatchObject({ error_code: 'user_banned' })
})

test('how strongly a provider proved somebody stands in the tokens of the session, for policies to ask', async () => {
  const { auth } = api.client()
  const told = { acr: 'urn:acme:mfa', amr: ['pwd', 'otp'], auth_time: 1_700_000_000 }
  await auth.signInWithIdToken({ provider: 'google', token: await provider.sign({ ...newPerson(), ...told }), nonce })
  const proof = { iss: provider.issuer, ...told }
  expect((await auth.getClaims()).data?.claims).toMatchObject({ aal: 'aal1', provider_proof: proof })
  await auth.refreshSession()
  expect((await auth.getClaims()).data?.claims).toMatchObject({ aal: 'aal1', provider_proof: proof })
})

test('a provider that does not say how is held for the weakest proof', async () => {
  const { auth } = api.client()
  const vague = { acr: 2, amr: 'otp', auth_time: 'today' }
  await auth.signInWithIdToken({ provider: 'google', token: await provider.sign({ ...newPerson(), ...vague }), nonce })
  const claims = (await auth.getClaims()).data?.claims
  expect(claims).toMatchObject({ aal: 'aal1' })
  expect(claims).not.toHaveProperty('provider_proof')
})

test('a private key of Apple is a secret for a limited time only', async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const environment = {
    PANDO_AUTH_EXTERNAL_APPLE_ENABLED: 'true',
    PANDO_AUTH_EXTERNAL_APPLE_CLIENT_ID: 'com.example.app',
    PANDO_AUTH_EXTERNAL_APPLE_SECRET: await exportPKCS8(privateKey),
  }
  await expect(startApi({ sql: '', environment })).rejects.toThrow(/team_id and key_id/)
})

test('a provider without a secret is for native apps: nobody is sent there', async () => {
  const refused = await ask(`${api.url}/auth/v1/authorize?provider=google`)
  expect(refused).toMatchObject({ status: 400, body: { msg: 'Unsupported provider: missing OAuth secret' } })
})
