import type { Session } from '@supabase/supabase-js'
import { decodeJwt } from 'jose'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type AttestDevice,
  type AttestTwist,
  type Authority,
  createAttestDevice,
  createAuthority,
  environments,
} from './testing/app-attest.ts'
import { type Person, signUp, signUpWithTotp } from './testing/second-factors.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

const appId = 'A1B2C3D4E5.com.example.app'
const otherAppId = 'A1B2C3D4E5.com.example.clip'
type Token = Pick<Session, 'access_token'>

/** Only attested devices read these rows. */
const sql = `
  create table public.prizes (id int primary key);
  insert into public.prizes values (1);
  alter table public.prizes enable row level security;
  create policy "attested" on public.prizes for select to authenticated
    using ((select auth.jwt() -> 'attestation' ->> 'provider') is not null);`

let apple: Authority
let impostor: Authority
let environment: Record<string, string>
let api: Api

beforeAll(async () => {
  apple = await createAuthority('Apple App Attestation')
  impostor = await createAuthority('Apple App Attestation')
  environment = {
    PANDO_AUTH_APP_ATTEST_APP_IDS: `${appId},${otherAppId}`,
    PANDO_AUTH_APP_ATTEST_ROOT_CERTIFICATE: apple.rootPem,
    PANDO_AUTH_ATTESTED_KEYS_MAX: '2',
    PANDO_AUTH_ANONYMOUS_ENABLED: 'true',
  }
  api = await startApi({ sql, environment })
})

afterAll(() => api?.stop())

/** A request with this token to `/auth/v1/attestation`. */
const post = (token: Token, path: string, body: object = {}, { url } = api, headers = {}) =>
  ask(`${url}/auth/v1/attestation/${path}`, {
    body,
    headers: { apikey: api.keys.anonKey, Authorization: `Bearer ${token.access_token}`, ...headers },
  })

const challengeFor = async (token: Token, at = api): Promise<string> => {
  const { status, body } = await post(token, 'challenge', {}, at)
  expect(status).toBe(200)
  return (body as { challenge: string }).challenge
}
const verify = (token: Token, body: object, at = api) => post(token, 'verify', { provider: 'app_attest', ...body }, at)

type Given = { readonly token: Token; readonly device: AttestDevice; readonly twist?: AttestTwist }

async function attest({ token, device, twist }: Given, at = api) {
  const challenge = await challengeFor(token, at)
  return verify(token, { challenge, ...(await device.attest(challenge, twist)) }, at)
}

async function assertWith({ token, device, twist }: Given) {
  const challenge = await challengeFor(token)
  return verify(token, { challenge, ...device.assert(challenge, twist) })
}

const newDevice = () => createAttestDevice(apple, { appId })

/** A person whose session is attested by a new device. */
async function signUpAttested() {
  const person = await signUp(api)
  const device = await newDevice()
  const answer = await attest({ token: person.session, device })
  expect(answer.status).toBe(200)
  return { ...person, device, attested: answer.body as Token & { expires_at: number; attestation: object } }
}

const signInAgain = async ({ email }: Person): Promise<Session> => {
  const credentials = { email, password: 'correct horse battery' }
  return (await api.client().auth.signInWithPassword(credentials)).data.session!
}
const refresh = async ({ client, session }: Person): Promise<Session> =>
  (await client.auth.refreshSession(session)).data.session!
const claimOf = ({ access_token }: Token) => decodeJwt(access_token)['attestation']
const readPrizes = async ({ access_token }: Token) => (await api.client(access_token).from('prizes').select()).data
const auditOf = ({ user }: Person) =>
  api.database.query<{ payload: { action: string; traits: object } }>(
    `select payload from auth.audit_log_entries where payload ->> 'actor_id' = $1 and payload ->> 'action' like 'device%'
    order by created_at`,
    [user.id],
  )

test('a row is shown to attested sessions alone: at once, after a refresh, and not to others', async () => {
  const { attested, ...person } = await signUpAttested()
  expect(await readPrizes(person.session)).toEqual([])
  expect(await readPrizes(attested)).toEqual([{ id: 1 }])
  const refreshed = await refresh(person)
  expect(await readPrizes(refreshed)).toEqual([{ id: 1 }])
  const seconds = Math.floor(Date.now() / 1000)
  const claim = claimOf(refreshed) as { attested_at: number; expires_at: number }
  expect(claim).toEqual({
    provider: 'app_attest',
    app_id: appId,
    level: 'production',
    attested_at: expect.closeTo(seconds, -2),
    expires_at: claim.attested_at + 7 * 86_400,
  })
  expect(attested.attestation).toEqual(claim)
  expect(await readPrizes(await signInAgain(person))).toEqual([])
})

test('the official client goes on with the new token, and refreshes it', async () => {
  const { attested, client, session } = await signUpAttested()
  const { error } = await client.auth.setSession({ ...session, access_token: attested.access_token })
  expect(error).toBeNull()
  expect((await client.from('prizes').select()).data).toEqual([{ id: 1 }])
  await client.auth.refreshSession()
  expect((await client.from('prizes').select()).data).toEqual([{ id: 1 }])
})

test('a session that has proved a second factor stays so, and one that has yet to may be attested before', async () => {
  const person = await signUpWithTotp(api)
  const session = (await person.client.auth.getSession()).data.session!
  const { body } = await attest({ token: session, device: await newDevice() })
  expect(decodeJwt((body as Token).access_token)).toMatchObject({ aal: 'aal2', attestation: { app_id: appId } })
  const half = await attest({ token: await signInAgain(person), device: await newDevice() })
  expect(decodeJwt((half.body as Token).access_token)).toMatchObject({ aal: 'aal1', attestation: { app_id: appId } })
})

test('guests are attested as well', async () => {
  const { data } = await api.client().auth.signInAnonymously()
  const answer = await attest({ token: data.session!, device: await newDevice() })
  expect(await readPrizes(answer.body as Token)).toEqual([{ id: 1 }])
})

test('a later session is attested by the key of the first, without Apple', async () => {
  const { device, ...person } = await signUpAttested()
  const session = await signInAgain(person)
  const answers = [await assertWith({ token: session, device }), await assertWith({ token: session, device })]
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  expect(claimOf(answers[1]!.body as Token)).toMatchObject({ app_id: appId, level: 'production' })
})

test('the new token ends when the one that asked does, and is of the same session', async () => {
  const { user, session } = await signUp(api)
  const claims = decodeJwt(session.access_token)
  const seconds = Math.floor(Date.now() / 1000)
  const short = { access_token: await api.sign({ ...claims, sub: user.id, exp: seconds + 60 }) }
  const { body } = await attest({ token: short, device: await newDevice() })
  const token = body as Token & { expires_in: number; expires_at: number; refresh_token?: string }
  expect(token.expires_at).toBe(seconds + 60)
  expect(token.expires_in).toBeLessThanOrEqual(60)
  expect(token.refresh_token).toBeUndefined()
  const { exp, session_id, sub } = decodeJwt(token.access_token)
  expect({ exp, session_id, sub }).toEqual({ exp: seconds + 60, session_id: claims['session_id'], sub: user.id })
})

const otherKey = Buffer.alloc(32, 7)
const hourAgo = new Date(Date.now() - 3_600_000)
/** What is wrong, and what is said about it. */
const forgedAttestations: readonly [string, () => AttestTwist | Promise<AttestTwist>, RegExp][] = [
  ['of a chain to another root', () => ({ issuer: impostor.intermediate }), /do not lead to the root/],
  [
    'whose key was certified by another device',
    async () => ({ issuer: await (await newDevice()).asIssuer() }),
    /do not lead to the root/,
  ],
  ['without the certificate between', () => ({ chain: ([leaf]) => [leaf!] }), /needs two certificates/],
  ['with a certificate more', () => ({ chain: (all) => [...all, all[1]!] }), /needs two certificates/],
  ['with bytes for a certificate', () => ({ chain: ([leaf]) => [leaf!, Buffer.alloc(9)] }), /cannot be read/],
  ['whose certificate has expired', () => ({ notAfter: hourAgo }), /has expired/],
  ['whose certificate is not valid yet', () => ({ notBefore: new Date(Date.now() + 3_600_000) }), /not valid yet/],
  ['for another challenge', () => ({ nonce: Buffer.alloc(32, 7) }), /another challenge/],
  ['whose certificate names no challenge', () => ({ nonce: 'none' }), /another challenge/],
  ['that names another key', () => ({ keyId: otherKey }), /key_id is of another key/],
  ['that names another key twice', () => ({ keyId: otherKey, credentialId: otherKey }), /key_id is of another key/],
  ['of another app', () => ({ appId: 'A1B2C3D4E5.com.example.evil' }), /another app/],
  ['of the app by another team', () => ({ appId: 'Z1B2C3D4E5.com.example.app' }), /another app/],
  ['of a key that was used before', () => ({ counter: 1 }), /used before/],
  ['of the development environment', () => ({ aaguid: environments.development }), /development environment/],
  ['of no environment that Apple has', () => ({ aaguid: 'appattest-------' }), /environment is unknown/],
  ['with a credential of another key', () => ({ credentialId: otherKey }), /credential is of another key/],
  ['with a credential cut short', () => ({ credentialId: Buffer.alloc(0) }), /credential is of another key/],
  ['of another format', () => ({ format: 'apple' }), /not what App Attest gives/],
]

test.each(forgedAttestations)('an attestation %s is refused', async (_name, twist, reason) => {
  const person = await signUp(api)
  const { session } = person
  const refused = await attest({ token: session, device: await newDevice(), twist: await twist() })
  expect(refused).toMatchObject({
    status: 400,
    body: { error_code: 'attestation_failed', msg: expect.stringMatching(reason) },
  })
  expect(claimOf(await refresh(person))).toBeUndefined()
})

test('a key of another curve is refused', async () => {
  const { session } = await signUp(api)
  const device = await createAttestDevice(apple, { appId, curve: { name: 'ECDSA', namedCurve: 'P-384' } })
  expect((await attest({ token: session, device })).body).toMatchObject({ msg: expect.stringMatching(/P-256/) })
})

test('each of the configured apps is told by its id', async () => {
  const { session } = await signUp(api)
  const device = await createAttestDevice(apple, { appId: otherAppId })
  expect((await attest({ token: session, device })).body).toMatchObject({ attestation: { app_id: otherAppId } })
})

test('development builds count where that is configured, say so, and nowhere else', async () => {
  const person = await signUp(api)
  const device = await newDevice()
  const twist = { aaguid: environments.development }
  const lenient = await startApi({
    beside: api,
    environment: { ...environment, PANDO_AUTH_APP_ATTEST_DEVELOPMENT_ALLOWED: 'true' },
  })
  try {
    const answer = await attest({ token: person.session, device, twist }, lenient)
    expect(answer.body).toMatchObject({ attestation: { level: 'development' } })
  } finally {
    await lenient.stop()
  }
  const later = await assertWith({ token: person.session, device })
  expect(later.body).toMatchObject({ error_code: 'attested_key_not_found' })
})

const forgedAssertions: readonly [string, () => AttestTwist | Promise<AttestTwist>, RegExp][] = [
  ['by another key', async () => ({ signer: (await newDevice()).keys }), /did not sign this challenge/],
  ['of another app', () => ({ appId: otherAppId }), /another app/],
  ['whose counter stands', () => ({ counter: 0 }), /counter has not risen/],
]

test.each(forgedAssertions)('an assertion %s is refused', async (_name, twist, reason) => {
  const { device, ...person } = await signUpAttested()
  const session = await signInAgain(person)
  const refused = await assertWith({ token: session, device, twist: await twist() })
  expect(refused.body).toMatchObject({ error_code: 'attestation_failed', msg: expect.stringMatching(reason) })
})

test('a counter rises: what was used before, or less, is refused', async () => {
  const { device, session } = await signUpAttested()
  const statusAt = async (counter: number) => (await assertWith({ token: session, device, twist: { counter } })).status
  const statuses: number[] = []
  for (const counter of [7, 7, 6, 1, 8, 0x8000_0000, 0xffff_ffff]) statuses.push(await statusAt(counter))
  expect(statuses).toEqual([200, 400, 400, 400, 200, 200, 200])
})

test('an assertion for another challenge is refused', async () => {
  const { device, session } = await signUpAttested()
  const assertion = device.assert(await challengeFor(session))
  const refused = await verify(session, { challenge: await challengeFor(session), ...assertion })
  expect(refused.body).toMatchObject({ msg: expect.stringMatching(/did not sign this challenge/) })
})

test("nobody is attested by somebody else's key, or by one that is not known", async () => {
  const victim = await signUpAttested()
  const attacker = await signUp(api)
  const stolen = await assertWith({ token: attacker.session, device: victim.device })
  expect(stolen.body).toMatchObject({ error_code: 'attested_key_not_found' })
  const again = await attest({ token: attacker.session, device: victim.device })
  expect(again.body).toMatchObject({ msg: expect.stringMatching(/known already/) })
  const unknown = await assertWith({ token: attacker.session, device: await newDevice() })
  expect(unknown.body).toMatchObject({ error_code: 'attested_key_not_found' })
})

test('a challenge is good once: of 20 answers at once exactly one counts', async () => {
  const { session } = await signUp(api)
  const challenge = await challengeFor(session)
  const answer = await (await newDevice()).attest(challenge)
  const answers = await Promise.all(Array.from({ length: 20 }, () => verify(session, { challenge, ...answer })))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  const late = await verify(session, { challenge, ...answer })
  expect(late.body).toMatchObject({ error_code: 'attestation_challenge_not_found' })
})

test('a challenge is used up by a wrong answer, replaced by the next, and ends with its time', async () => {
  const { session, user } = await signUp(api)
  const device = await newDevice()
  const used = await challengeFor(session)
  await verify(session, { challenge: used, ...(await device.attest(used, { counter: 1 })) })
  const replaced = await challengeFor(session)
  const current = await challengeFor(session)
  for (const challenge of [used, replaced, 'x'.repeat(43), '']) {
    const refused = await verify(session, { challenge, ...(await device.attest(challenge)) })
    expect(refused.body).toMatchObject({ error_code: 'attestation_challenge_not_found' })
  }
  await api.database.query(
    `update auth.attestation_challenges set expires_at = now() - interval '1 second'
    where session_id in (select id from auth.sessions where user_id = $1)`,
    [user.id],
  )
  const expired = await verify(session, { challenge: current, ...(await device.attest(current)) })
  expect(expired.body).toMatchObject({ error_code: 'attestation_challenge_expired' })
})

test('a challenge belongs to one session: of another person, or of the same one', async () => {
  const person = await signUp(api)
  const device = await newDevice()
  const challenge = await challengeFor(person.session)
  const answer = await device.attest(challenge)
  for (const session of [(await signUp(api)).session, await signInAgain(person)]) {
    const refused = await verify(session, { challenge, ...answer })
    expect(refused.body).toMatchObject({ error_code: 'attestation_challenge_not_found' })
  }
  expect((await verify(person.session, { challenge, ...answer })).status).toBe(200)
})

test('the database has only the hash of a challenge', async () => {
  const { session } = await signUp(api)
  const challenge = await challengeFor(session)
  const rows = await api.database.query<{ challenge_hash: Buffer }>(
    'select challenge_hash from auth.attestation_challenges',
  )
  const hash = createHash('sha256').update(challenge).digest('hex')
  expect(rows.map((row) => row.challenge_hash.toString('hex'))).toContain(hash)
})

test('no token says longer than the attestation holds that a session is attested', async () => {
  const person = await signUpAttested()
  const { session_id } = decodeJwt(person.session.access_token)
  const endIn = (seconds: number) =>
    api.database.query(
      `update auth.sessions set attestation = jsonb_set(attestation, '{expires_at}', to_jsonb($2::bigint)) where id = $1`,
      [session_id, Math.floor(Date.now() / 1000) + seconds],
    )
  await endIn(3600 + 60)
  const held = await refresh(person)
  expect(claimOf(held)).toBeDefined()
  await endIn(3600 - 60)
  const late = await refresh({ ...person, session: held })
  expect(claimOf(late)).toBeUndefined()
  expect(await readPrizes(late)).toEqual([])
})

test('an attestation is of its session: it is not in others, and ends with it', async () => {
  const { attested, device, ...person } = await signUpAttested()
  const other = await signInAgain(person)
  expect(claimOf(other)).toBeUndefined()
  expect(claimOf(await refresh({ ...person, session: other }))).toBeUndefined()
  const challenge = await challengeFor(person.session)
  await api.client(attested.access_token).auth.admin.signOut(attested.access_token, 'local')
  const ended = await verify(person.session, { challenge, ...device.assert(challenge) })
  expect(ended).toMatchObject({ status: 403, body: { error_code: 'session_not_found' } })
  const rows = await api.database.query(
    'select session_id from auth.attestation_challenges where session_id not in (select id from auth.sessions)',
  )
  expect(rows).toEqual([])
})

test('a session whose time is over is not attested', async () => {
  const { session } = await signUp(api)
  const { session_id } = decodeJwt(session.access_token)
  await api.database.query(`update auth.sessions set not_after = now() - interval '1 second' where id = $1`, [
    session_id,
  ])
  expect((await post(session, 'challenge')).status).toBe(403)
})

test('who has too many keys keeps those that were used last', async () => {
  const { device: first, session } = await signUpAttested()
  const [second, third] = [await newDevice(), await newDevice()]
  await attest({ token: session, device: second })
  expect((await assertWith({ token: session, device: first })).status).toBe(200)
  await attest({ token: session, device: third })
  const statuses: number[] = []
  for (const device of [first, second, third]) statuses.push((await assertWith({ token: session, device })).status)
  expect(statuses).toEqual([200, 400, 200])
})

test('who deletes a user deletes their keys', async () => {
  const { user } = await signUpAttested()
  const count = async () =>
    (await api.database.query('select from auth.attested_keys where user_id = $1', [user.id])).length
  expect(await count()).toBe(1)
  await api.client(api.keys.serviceRoleKey).auth.admin.deleteUser(user.id)
  expect(await count()).toBe(0)
})

test('the audit log tells of devices that were attested and of those that were not', async () => {
  const { device, ...person } = await signUpAttested()
  await assertWith({ token: person.session, device, twist: { counter: 0 } })
  expect((await auditOf(person)).map(({ payload: { action, traits } }) => ({ action, traits }))).toEqual([
    { action: 'device_attested', traits: { provider: 'app_attest', app_id: appId, level: 'production' } },
    {
      action: 'device_attestation_refused',
      traits: { provider: 'app_attest', reason: expect.stringMatching(/counter has not risen/) },
    },
  ])
})

test('requests that make no sense are refused with what is wrong, and use up no challenge', async () => {
  const { session } = await signUp(api)
  const challenge = await challengeFor(session)
  const device = await newDevice()
  const good = { challenge, ...(await device.attest(challenge)) }
  const bodies = [
    {},
    { ...good, provider: 'devicecheck' },
    { ...good, key_id: 'AAAA' },
    { ...good, key_id: undefined },
    { ...good, attestation: undefined },
    { ...good, ...device.assert(challenge) },
    { ...good, attestation: 'A'.repeat(65_537) },
    { ...good, challenge: undefined },
    { ...good, provider: 'play_integrity', token: 'x' },
  ]
  for (const body of bodies) {
    const refused = await verify(session, body)
    expect(refused.status).toBeGreaterThanOrEqual(400)
    expect(refused.status).toBeLessThan(500)
  }
  expect((await verify(session, good)).status).toBe(200)
})

test('bytes that are no attestation are refused, whatever they are', async () => {
  const { session } = await signUp(api)
  const device = await newDevice()
  for (const bytes of ['', '!', 'AAAA', 'oA==', 'v/8=', 'n5+f', Buffer.alloc(40_000, 0x9f).toString('base64')]) {
    const challenge = await challengeFor(session)
    const refused = await verify(session, { challenge, key_id: device.keyId, attestation: bytes })
    expect(refused).toMatchObject({ status: 400, body: { error_code: 'attestation_failed' } })
  }
})

test('only somebody who is signed in is attested, not a key and not a stranger', async () => {
  for (const key of [api.keys.anonKey, api.keys.serviceRoleKey]) {
    expect((await post({ access_token: key }, 'challenge')).status).toBeGreaterThanOrEqual(401)
  }
  const { user } = await signUp(api)
  const withoutSession = { access_token: await api.sign({ sub: user.id }) }
  expect((await post(withoutSession, 'challenge')).body).toMatchObject({ error_code: 'session_not_found' })
})

test('nobody reads challenges or keys over the data API', async () => {
  const { rows } = await api.database
    .query<{ grantee: string }>(
      `select grantee from information_schema.role_table_grants
      where table_schema = 'auth' and table_name in ('attested_keys', 'attestation_challenges')`,
    )
    .then((found) => ({ rows: new Set(found.map(({ grantee }) => grantee)) }))
  for (const role of ['anon', 'authenticated', 'service_role', 'PUBLIC']) expect(rows.has(role)).toBe(false)
})

test('where nothing is configured that is said, in both shapes of an error', async () => {
  const { session } = await signUp(api)
  const plain = await startApi({ beside: api })
  try {
    const old = await post(session, 'challenge', {}, plain)
    expect(old).toMatchObject({ status: 404, body: { code: 404, error_code: 'attestation_disabled' } })
    const modern = await post(session, 'verify', { provider: 'app_attest', challenge: 'x' }, plain, {
      'x-supabase-api-version': '2024-01-01',
    })
    expect(modern).toMatchObject({ status: 404, body: { code: 'attestation_disabled', message: expect.any(String) } })
  } finally {
    await plain.stop()
  }
})

test('how often a person may ask is limited', async () => {
  const { session } = await signUp(api)
  const strict = await startApi({
    beside: api,
    environment: {
      ...environment,
      PANDO_AUTH_RATE_LIMIT_LOOPBACK: 'true',
      PANDO_AUTH_RATE_LIMIT_ATTESTATIONS: '2',
    },
  })
  try {
    const statuses: number[] = []
    for (let at = 0; at < 3; at++) statuses.push((await post(session, 'challenge', {}, strict)).status)
    expect(statuses).toEqual([200, 200, 429])
  } finally {
    await strict.stop()
  }
})

test.each([
  [{ PANDO_AUTH_APP_ATTEST_APP_IDS: 'com.example.app' }, /team id and bundle id/],
  [{ PANDO_AUTH_APP_ATTEST_ROOT_CERTIFICATE: 'no certificate' }, /root_certificate cannot be read/],
  [{ PANDO_AUTH_ATTESTATION_EXPIRY: '30m' }, /shorter than auth.jwt_expiry/],
])('a configuration that cannot work is refused at the start: %o', async (wrong, reason) => {
  await expect(startApi({ beside: api, environment: { ...environment, ...wrong } })).rejects.toThrow(reason)
})
