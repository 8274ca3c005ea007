import { createClient } from '@supabase/supabase-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signUp, signUpWithTotp } from './testing/second-factors.ts'
import { createSoftwareAuthenticator, type Twist } from './testing/software-authenticator.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

const party = { rpId: 'app.example', origin: 'https://app.example' }
let api: Api

beforeAll(async () => {
  api = await startApi({
    sql: '',
    environment: {
      PANDO_AUTH_PASSKEYS_ENABLED: 'true',
      PANDO_AUTH_PASSKEYS_MAX: '2',
      PANDO_AUTH_SITE_URL: 'https://app.example',
      PANDO_AUTH_WEBAUTHN_ENROLL_ENABLED: 'true',
      PANDO_AUTH_WEBAUTHN_VERIFY_ENABLED: 'true',
      PANDO_AUTH_RATE_LIMIT_LOOPBACK: 'false',
    },
  })
})

afterAll(() => api?.stop())

/** A request of a person to `/auth/v1`. */
function askFor(session: { access_token: string } | undefined, path: string, body?: unknown, method?: string) {
  const headers: Record<string, string> = { apikey: api.keys.anonKey }
  if (session !== undefined) headers['Authorization'] = `Bearer ${session.access_token}`
  return ask(`${api.url}/auth/v1${path}`, { method, headers, body })
}

type Ceremony = { readonly challenge_id: string; readonly options: { challenge: string; user: { id: string } } }
const optionsFor = async (session: { access_token: string } | undefined, ceremony: string) =>
  (await askFor(session, `/passkeys/${ceremony}/options`, {})).body as Ceremony

async function signUpWithPasskey() {
  const person = await signUp(api)
  const authenticator = createSoftwareAuthenticator(party)
  const { challenge_id, options } = await optionsFor(person.session, 'registration')
  const credential = authenticator.create(options)
  const made = await askFor(person.session, '/passkeys/registration/verify', { challenge_id, credential })
  expect(made.status).toBe(200)
  return { ...person, authenticator, passkey: made.body as { id: string; friendly_name: string } }
}

test('who has a passkey signs in without saying who they are', async () => {
  const { authenticator, user, session } = await signUpWithPasskey()
  const client = createClient(api.url, api.keys.anonKey, {
    auth: { persistSession: false, autoRefreshToken: false, experimental: { passkey: true } },
  })
  const { data: begun } = await client.auth.passkey.startAuthentication()
  expect(begun!.options.allowCredentials ?? []).toEqual([])
  const credential = authenticator.get(begun!.options) as never
  const { data, error } = await client.auth.passkey.verifyAuthentication({
    challengeId: begun!.challenge_id,
    credential,
  })
  expect(error).toBeNull()
  expect(data?.user?.id).toBe(user.id)
  const { data: claims } = await client.auth.getClaims()
  expect(claims?.claims).toMatchObject({ aal: 'aal1', amr: [{ method: 'passkey' }] })
  const listed = await askFor(session, '/passkeys')
  expect(listed.body).toMatchObject([{ friendly_name: 'Passkey', last_used_at: expect.any(String) }])
})

test('registration asks for a discoverable credential of this app', async () => {
  const { session } = await signUp(api)
  const { body } = await askFor(session, '/passkeys/registration/options', {})
  expect(body).toMatchObject({
    challenge_id: expect.any(String),
    expires_at: expect.any(Number),
    options: {
      rp: { id: 'app.example', name: 'app.example' },
      authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' },
      attestation: 'none',
      pubKeyCredParams: expect.arrayContaining([{ alg: -7, type: 'public-key' }]),
    },
  })
})

/** What an attacker sends in place of an honest answer. */
const lies: readonly [string, Twist][] = [
  ['another origin', { origin: 'https://app.example.evil.example' }],
  ['an origin without TLS', { origin: 'http://app.example' }],
  ['a subdomain', { origin: 'https://www.app.example' }],
  ['another domain', { rpId: 'evil.example' }],
  ['a challenge of their own', { challenge: Buffer.alloc(32, 7).toString('base64url') }],
]

test.each(lies)('a sign-in from %s is refused', async (_name, twist) => {
  const { authenticator } = await signUpWithPasskey()
  const { challenge_id, options } = await optionsFor(undefined, 'authentication')
  const credential = authenticator.get(options, twist)
  const refused = await askFor(undefined, '/passkeys/authentication/verify', { challenge_id, credential })
  expect(refused).toMatchObject({ status: 400, body: { error_code: 'webauthn_verification_failed' } })
})

test.each(lies)('a registration from %s is refused', async (_name, twist) => {
  const { session } = await signUp(api)
  const { challenge_id, options } = await optionsFor(session, 'registration')
  const credential = createSoftwareAuthenticator(party).create(options, twist)
  const refused = await askFor(session, '/passkeys/registration/verify', { challenge_id, credential })
  expect(refused.body).toMatchObject({ error_code: 'webauthn_verification_failed' })
})

test('a challenge is good once: of 50 sign-ins with one answer exactly one wins', async () => {
  const { authenticator } = await signUpWithPasskey()
  const { challenge_id, options } = await optionsFor(undefined, 'authentication')
  const credential = authenticator.get(options)
  const answers = await Promise.all(
    Array.from({ length: 50 }, () =>
      askFor(undefined, '/passkeys/authentication/verify', { challenge_id, credential }),
    ),
  )
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  const again = await askFor(undefined, '/passkeys/authentication/verify', { challenge_id, credential })
  expect(again.body).toMatchObject({ error_code: 'webauthn_challenge_not_found' })
})

test('a challenge is used up by a wrong answer, and ends with its time', async () => {
  const { authenticator } = await signUpWithPasskey()
  const verify = (challenge_id: string, credential: object) =>
    askFor(undefined, '/passkeys/authentication/verify', { challenge_id, credential })
  const first = await optionsFor(undefined, 'authentication')
  await verify(first.challenge_id, authenticator.get(first.options, { origin: 'https://evil.example' }))
  const late = await verify(first.challenge_id, authenticator.get(first.options))
  expect(late.body).toMatchObject({ error_code: 'webauthn_challenge_not_found' })
  const second = await optionsFor(undefined, 'authentication')
  await api.database.query(
    `update auth.webauthn_challenges set expires_at = now() - interval '1 second' where id = $1`,
    [second.challenge_id],
  )
  const expired = await verify(second.challenge_id, authenticator.get(second.options))
  expect(expired.body).toMatchObject({ error_code: 'webauthn_challenge_expired' })
})

test('a passkey that counts back is a copy, and is refused', async () => {
  const { authenticator } = await signUpWithPasskey()
  const signInAt = async (counter: number) => {
    const { challenge_id, options } = await optionsFor(undefined, 'authentication')
    const credential = authenticator.get(options, { counter })
    return askFor(undefined, '/passkeys/authentication/verify', { challenge_id, credential })
  }
  expect((await signInAt(7)).status).toBe(200)
  for (const counter of [7, 6, 0]) {
    expect((await signInAt(counter)).body).toMatchObject({ error_code: 'webauthn_verification_failed' })
  }
  expect((await signInAt(8)).status).toBe(200)
})

test('nobody signs in as somebody else: by their name, or with a credential that is not theirs', async () => {
  const victim = await signUpWithPasskey()
  const attacker = await signUpWithPasskey()
  const handle = Buffer.from(victim.user.id).toString('base64url')
  for (const twist of [
    { userHandle: handle },
    { credentialId: victim.authenticator.credentialId },
    { userHandle: '' },
  ]) {
    const { challenge_id, options } = await optionsFor(undefined, 'authentication')
    const credential = attacker.authenticator.get(options, twist)
    const refused = await askFor(undefined, '/passkeys/authentication/verify', { challenge_id, credential })
    expect(refused.body).toMatchObject({ error_code: 'webauthn_verification_failed' })
  }
  const { challenge_id, options } = await optionsFor(victim.session, 'registration')
  const credential = createSoftwareAuthenticator(party).create(options)
  const stolen = await askFor(attacker.session, '/passkeys/registration/verify', { challenge_id, credential })
  expect(stolen.body).toMatchObject({ error_code: 'webauthn_challenge_not_found' })
})

test('a credential is registered once, and there is a limit', async () => {
  const { session, authenticator } = await signUpWithPasskey()
  const register = async (by: typeof authenticator, who: typeof session) => {
    const { challenge_id, options } = await optionsFor(who, 'registration')
    return askFor(who, '/passkeys/registration/verify', { challenge_id, credential: by.create(options) })
  }
  const thief = await signUp(api)
  expect((await register(authenticator, thief.session)).body).toMatchObject({
    error_code: 'webauthn_credential_exists',
  })
  expect((await register(createSoftwareAuthenticator(party), session)).status).toBe(200)
  const third = await askFor(session, '/passkeys/registration/options', {})
  expect(third.body).toMatchObject({ error_code: 'too_many_passkeys' })
})

test('people rename and delete their own passkeys, and admins those of anybody', async () => {
  const { session, passkey, user, authenticator } = await signUpWithPasskey()
  const renamed = await askFor(session, `/passkeys/${passkey.id}`, { friendly_name: 'blue key' }, 'PATCH')
  expect(renamed.body).toMatchObject({ id: passkey.id, friendly_name: 'blue key' })
  const stranger = await signUp(api)
  for (const method of ['PATCH', 'DELETE']) {
    const refused = await askFor(stranger.session, `/passkeys/${passkey.id}`, { friendly_name: 'mine' }, method)
    expect(refused.status).toBe(404)
  }
  const admin = { access_token: api.keys.serviceRoleKey }
  const path = `/admin/users/${user.id}/passkeys`
  expect((await askFor(admin, path)).body).toMatchObject([{ id: passkey.id, friendly_name: 'blue key' }])
  expect((await askFor(stranger.session, path)).status).toBe(403)
  expect((await askFor(admin, `${path}/${passkey.id}`, undefined, 'DELETE')).status).toBe(204)
  const { challenge_id, options } = await optionsFor(undefined, 'authentication')
  const credential = authenticator.get(options)
  const gone = await askFor(undefined, '/passkeys/authentication/verify', { challenge_id, credential })
  expect(gone.body).toMatchObject({ error_code: 'webauthn_verification_failed' })
})

test('who is banned does not come in by a passkey', async () => {
  const { authenticator, user } = await signUpWithPasskey()
  await api.client(api.keys.serviceRoleKey).auth.admin.updateUserById(user.id, { ban_duration: '1h' })
  const { challenge_id, options } = await optionsFor(undefined, 'authentication')
  const credential = authenticator.get(options)
  const refused = await askFor(undefined, '/passkeys/authentication/verify', { challenge_id, credential })
  expect(refused.body).toMatchObject({ error_code: 'user_banned' })
})

test('who has a second factor needs it to change passkeys, also after a sign-in by passkey', async () => {
  const { client } = await signUpWithTotp(api)
  const authenticator = createSoftwareAuthenticator(party)
  const session = (await client.auth.getSession()).data.session!
  const begun = await optionsFor(session, 'registration')
  const credential = authenticator.create(begun.options)
  await askFor(session, '/passkeys/registration/verify', { challenge_id: begun.challenge_id, credential })
  const { challenge_id, options } = await optionsFor(undefined, 'authentication')
  const half = await askFor(undefined, '/passkeys/authentication/verify', {
    challenge_id,
    credential: authenticator.get(options),
  })
  const refused = await askFor(half.body as { access_token: string }, '/passkeys/registration/options', {})
  expect(refused.body).toMatchObject({ error_code: 'insufficient_aal' })
})

test('texts that are no credential are refused, whatever they are', async () => {
  const { challenge_id } = await optionsFor(undefined, 'authentication')
  const bodies = [{}, { challenge_id }, { challenge_id, credential: {} }, { challenge_id, credential: [] }]
  for (const body of bodies) {
    expect((await askFor(undefined, '/passkeys/authentication/verify', body)).status).toBe(400)
  }
})
