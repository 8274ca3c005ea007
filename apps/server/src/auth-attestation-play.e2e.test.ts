import type { Session } from '@supabase/supabase-js'
import { decodeJwt } from 'jose'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { json } from './testing/peer.ts'
import { createPlayKeys, type Google, startGoogle, type Verdict } from './testing/play-integrity.ts'
import { type Person, signUp } from './testing/second-factors.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

const packageName = 'com.example.app'
const digest = randomBytes(32)
const keys = createPlayKeys()
type Token = Pick<Session, 'access_token'>

let google: Google
let environment: Record<string, string>
let api: Api

beforeAll(async () => {
  google = await startGoogle()
  environment = {
    PANDO_AUTH_PLAY_INTEGRITY_PACKAGES: `${packageName},com.example.wear`,
    // As keytool shows it.
    PANDO_AUTH_PLAY_INTEGRITY_CERTIFICATES: digest
      .toString('hex')
      .toUpperCase()
      .replaceAll(/..(?=.)/g, '$&:'),
    PANDO_AUTH_PLAY_INTEGRITY_SERVICE_ACCOUNT: google.serviceAccount,
    PANDO_AUTH_PLAY_INTEGRITY_URL: google.peer.url,
    PANDO_AUTH_PLAY_INTEGRITY_TIMEOUT: '1s',
  }
  api = await startApi({ sql: '', environment })
})

beforeEach(() => {
  google.trouble = undefined
})

afterAll(async () => {
  await api?.stop()
  await google?.peer.close()
})

const post = (token: Token, path: string, body: object, { url } = api) =>
  ask(`${url}/auth/v1/attestation/${path}`, {
    body,
    headers: { apikey: api.keys.anonKey, Authorization: `Bearer ${token.access_token}` },
  })

async function challengeFor(token: Token, at = api): Promise<string> {
  return ((await post(token, 'challenge', {}, at)).body as { challenge: string }).challenge
}

const verify = (token: Token, body: object, at = api) =>
  post(token, 'verify', { provider: 'play_integrity', ...body }, at)

/** What Google says of an honest app on an honest device that made a standard request. */
const honest = (challenge: string, changes: Verdict = {}): Verdict => ({
  requestDetails: {
    requestPackageName: packageName,
    requestHash: challenge,
    timestampMillis: String(Date.now()),
    ...changes['requestDetails'],
  },
  appIntegrity: {
    appRecognitionVerdict: 'PLAY_RECOGNIZED',
    packageName,
    certificateSha256Digest: [digest.toString('base64url')],
    versionCode: '42',
    ...changes['appIntegrity'],
  },
  deviceIntegrity: {
    deviceRecognitionVerdict: ['MEETS_BASIC_INTEGRITY', 'MEETS_DEVICE_INTEGRITY'],
    ...changes['deviceIntegrity'],
  },
  accountDetails: { appLicensingVerdict: 'UNEVALUATED', ...changes['accountDetails'] },
})

async function attest(token: Token, changes?: Verdict, at = api) {
  const challenge = await challengeFor(token, at)
  return verify(token, { challenge, token: google.issue(honest(challenge, changes)) }, at)
}

const claimOf = ({ access_token }: Token) => decodeJwt(access_token)['attestation']
const refresh = async ({ client, session }: Person): Promise<Session> =>
  (await client.auth.refreshSession(session)).data.session!

/** A second node with other options, for one test. */
async function withOptions<T>(options: Record<string, string>, use: (node: Api) => Promise<T>): Promise<T> {
  const node = await startApi({ beside: api, environment: { ...environment, ...options } })
  try {
    return await use(node)
  } finally {
    await node.stop()
  }
}

test('a standard request attests the session: at once, and after a refresh', async () => {
  const person = await signUp(api)
  const answer = await attest(person.session)
  expect(answer.status).toBe(200)
  const expected = { provider: 'play_integrity', app_id: packageName, level: 'device' }
  expect(claimOf(answer.body as Token)).toMatchObject(expected)
  expect(claimOf(await refresh(person))).toMatchObject(expected)
})

test('a classic request does too, with or without the filling of base64', async () => {
  const { session } = await signUp(api)
  for (const filling of ['', '=']) {
    const challenge = await challengeFor(session)
    const nonce = `${challenge}${filling}`
    const token = google.issue(honest(challenge, { requestDetails: { requestHash: undefined, nonce } }))
    expect((await verify(session, { challenge, token })).status).toBe(200)
  }
})

test('another of the configured packages is named by the app', async () => {
  const { session } = await signUp(api)
  const name = 'com.example.wear'
  const changes = { requestDetails: { requestPackageName: name }, appIntegrity: { packageName: name } }
  const challenge = await challengeFor(session)
  const token = google.issue(honest(challenge, changes))
  const answer = await verify(session, { challenge, token, package_name: name })
  expect(answer.body).toMatchObject({ attestation: { app_id: name } })
  const foreign = await verify(session, { challenge, token, package_name: 'com.example.evil' })
  expect(foreign.body).toMatchObject({ error_code: 'validation_failed' })
})

test('the strongest of what a device meets is its level', async () => {
  const { session } = await signUp(api)
  const labels = ['MEETS_STRONG_INTEGRITY', 'MEETS_BASIC_INTEGRITY', 'MEETS_DEVICE_INTEGRITY']
  const answer = await attest(session, { deviceIntegrity: { deviceRecognitionVerdict: labels } })
  expect(answer.body).toMatchObject({ attestation: { level: 'strong' } })
})

const minutesAgo = (minutes: number) => String(Date.now() - minutes * 60_000)
const lies: readonly [string, Verdict, RegExp][] = [
  ['for another challenge', { requestDetails: { requestHash: 'x'.repeat(43) } }, /another challenge/],
  ['for no challenge', { requestDetails: { requestHash: undefined } }, /another challenge/],
  ['asked for by another app', { requestDetails: { requestPackageName: 'com.example.evil' } }, /another app/],
  ['that is too old', { requestDetails: { timestampMillis: minutesAgo(7) } }, /too old/],
  ['of the future', { requestDetails: { timestampMillis: minutesAgo(-2) } }, /too old, or of the future/],
  ['without a time', { requestDetails: { timestampMillis: undefined } }, /too old/],
  ['of another app', { appIntegrity: { packageName: 'com.example.evil' } }, /another app/],
  [
    'of a changed app',
    { appIntegrity: { appRecognitionVerdict: 'UNRECOGNIZED_VERSION' } },
    /does not recognize the app \(UNRECOGNIZED_VERSION\)/,
  ],
  ['of an app that was not looked at', { appIntegrity: { appRecognitionVerdict: 'UNEVALUATED' } }, /UNEVALUATED/],
  ['without a verdict on the app', { appIntegrity: { appRecognitionVerdict: undefined } }, /no verdict/],
  ['of an app of another signer', { appIntegrity: { certificateSha256Digest: ['AAAA'] } }, /another certificate/],
  ['of an app of no signer', { appIntegrity: { certificateSha256Digest: undefined } }, /another certificate/],
  ['of a device that meets nothing', { deviceIntegrity: { deviceRecognitionVerdict: undefined } }, /MEETS_DEVICE/],
  [
    'of a device that meets too little',
    { deviceIntegrity: { deviceRecognitionVerdict: ['MEETS_BASIC_INTEGRITY'] } },
    /MEETS_DEVICE_INTEGRITY/,
  ],
  ['of an emulator', { deviceIntegrity: { deviceRecognitionVerdict: ['MEETS_VIRTUAL_INTEGRITY'] } }, /MEETS_DEVICE/],
]

test.each(lies)('a token %s is refused', async (_name, changes, reason) => {
  const person = await signUp(api)
  expect(await attest(person.session, changes)).toMatchObject({
    status: 400,
    body: { error_code: 'attestation_failed', msg: expect.stringMatching(reason) },
  })
  expect(claimOf(await refresh(person))).toBeUndefined()
})

test('a token that Google cannot read is refused, and used up is the challenge', async () => {
  const { session } = await signUp(api)
  const challenge = await challengeFor(session)
  const refused = await verify(session, { challenge, token: 'of nobody' })
  expect(refused.body).toMatchObject({ error_code: 'attestation_failed' })
  const again = await verify(session, { challenge, token: google.issue(honest(challenge)) })
  expect(again.body).toMatchObject({ error_code: 'attestation_challenge_not_found' })
})

test('a token is good once, and for the session whose challenge it answers', async () => {
  const [person, thief] = [await signUp(api), await signUp(api)]
  const challenge = await challengeFor(person.session)
  const token = google.issue(honest(challenge))
  const stolen = await verify(thief.session, { challenge, token })
  expect(stolen.body).toMatchObject({ error_code: 'attestation_challenge_not_found' })
  const own = await verify(thief.session, { challenge: await challengeFor(thief.session), token })
  expect(own.body).toMatchObject({ msg: expect.stringMatching(/another challenge/) })
  expect((await verify(person.session, { challenge, token })).status).toBe(200)
  const replayed = await verify(person.session, { challenge, token })
  expect(replayed.body).toMatchObject({ error_code: 'attestation_challenge_not_found' })
})

test('many devices at once share one access token, and a new one is bought when it ends', async () => {
  const grants = () => google.peer.requests.filter(({ path }) => path === '/token').length
  await withOptions({}, async (node) => {
    const { session } = await signUp(node)
    const before = grants()
    const people = await Promise.all(Array.from({ length: 5 }, () => signUp(node)))
    await Promise.all(people.map((person) => attest(person.session, {}, node)))
    await attest(session, {}, node)
    expect(grants() - before).toBe(1)
    google.trouble = json({ error: { code: 401, status: 'UNAUTHENTICATED' } }, 401)
    expect((await attest(session, {}, node)).status).toBe(503)
    google.trouble = undefined
    expect((await attest(session, {}, node)).status).toBe(200)
    expect(grants() - before).toBe(2)
  })
  google.lifetime = 30
  await withOptions({}, async (node) => {
    const { session } = await signUp(node)
    const before = grants()
    for (let at = 0; at < 2; at++) expect((await attest(session, {}, node)).status).toBe(200)
    expect(grants() - before).toBe(2)
  })
  google.lifetime = 3599
})

test.each([
  ['is out of order', json({ error: { code: 500 } }, 500)],
  ['forbids it', json({ error: { code: 403, status: 'PERMISSION_DENIED' } }, 403)],
  ['answers something else', json({})],
  ['answers no JSON', { status: 200, body: '<html>' }],
  ['answers without an end', { status: 200, body: 'x'.repeat(300 * 1024) }],
  ['sends us on', { status: 302, headers: { location: 'http://169.254.169.254/' } }],
])('while Google %s nobody is attested, and told to try again', async (_name, trouble) => {
  const { session } = await signUp(api)
  google.trouble = trouble
  const answer = await attest(session)
  expect(answer).toMatchObject({ status: 503, body: { error_code: 'attestation_unavailable' } })
  expect(answer.headers.get('retry-after')).toBe('5')
})

test('builds from elsewhere count where that is configured, if the right certificate signed them', async () => {
  await withOptions({ PANDO_AUTH_PLAY_INTEGRITY_UNRECOGNIZED_ALLOWED: 'true' }, async (node) => {
    const { session } = await signUp(node)
    const sideloaded = { appRecognitionVerdict: 'UNRECOGNIZED_VERSION' }
    expect((await attest(session, { appIntegrity: sideloaded }, node)).status).toBe(200)
    const foreign = { ...sideloaded, certificateSha256Digest: [randomBytes(32).toString('base64url')] }
    expect((await attest(session, { appIntegrity: foreign }, node)).status).toBe(400)
  })
})

test('level and license are required as configured', async () => {
  const options = { PANDO_AUTH_PLAY_INTEGRITY_LEVEL: 'strong', PANDO_AUTH_PLAY_INTEGRITY_LICENSE_REQUIRED: 'true' }
  await withOptions(options, async (node) => {
    const { session } = await signUp(node)
    const strong = { deviceRecognitionVerdict: ['MEETS_DEVICE_INTEGRITY', 'MEETS_STRONG_INTEGRITY'] }
    const licensed = { appLicensingVerdict: 'LICENSED' }
    const statuses: number[] = []
    for (const changes of [
      { deviceIntegrity: strong, accountDetails: licensed },
      { deviceIntegrity: strong, accountDetails: { appLicensingVerdict: 'UNLICENSED' } },
      { accountDetails: licensed },
    ] as Verdict[])
      statuses.push((await attest(session, changes, node)).status)
    expect(statuses).toEqual([200, 400, 400])
  })
  await withOptions({ PANDO_AUTH_PLAY_INTEGRITY_LEVEL: 'basic' }, async (node) => {
    const { session } = await signUp(node)
    const basic = { deviceIntegrity: { deviceRecognitionVerdict: ['MEETS_BASIC_INTEGRITY'] } }
    expect((await attest(session, basic, node)).body).toMatchObject({ attestation: { level: 'basic' } })
  })
})

test('with the keys of the Play Console tokens are decoded here, others by Google', async () => {
  const options = {
    PANDO_AUTH_PLAY_INTEGRITY_DECRYPTION_KEY: keys.decryptionKey,
    PANDO_AUTH_PLAY_INTEGRITY_VERIFICATION_KEY: keys.verificationKey,
  }
  await withOptions(options, async (node) => {
    const { session } = await signUp(node)
    const before = google.peer.requests.length
    const challenge = await challengeFor(session, node)
    const token = await keys.issue(honest(challenge, { requestDetails: { requestHash: undefined, nonce: challenge } }))
    expect((await verify(session, { challenge, token }, node)).status).toBe(200)
    expect(google.peer.requests.length).toBe(before)
    expect((await attest(session, {}, node)).status).toBe(200)
    expect(google.peer.requests.length).toBeGreaterThan(before)
    const lie = await challengeFor(session, node)
    const forged = await createPlayKeys().issue(honest(lie))
    expect((await verify(session, { challenge: lie, token: forged }, node)).body).toMatchObject({
      error_code: 'attestation_failed',
    })
  })
})

test('with those keys alone nobody else is asked', async () => {
  const alone = await startApi({
    beside: api,
    environment: {
      PANDO_AUTH_PLAY_INTEGRITY_PACKAGES: packageName,
      PANDO_AUTH_PLAY_INTEGRITY_DECRYPTION_KEY: keys.decryptionKey,
      PANDO_AUTH_PLAY_INTEGRITY_VERIFICATION_KEY: keys.verificationKey,
    },
  })
  try {
    const { session } = await signUp(alone)
    const challenge = await challengeFor(session, alone)
    const token = await keys.issue(honest(challenge))
    expect((await verify(session, { challenge, token }, alone)).status).toBe(200)
    const another = await challengeFor(session, alone)
    for (const forged of [google.issue(honest(another)), await createPlayKeys().issue(honest(another))]) {
      const refused = await verify(session, { challenge: await challengeFor(session, alone), token: forged }, alone)
      expect(refused.body).toMatchObject({ error_code: 'attestation_failed' })
    }
  } finally {
    await alone.stop()
  }
})

test.each([
  [{ PANDO_AUTH_PLAY_INTEGRITY_SERVICE_ACCOUNT: '{"private_key":"secret"}' }, /service_account cannot be read/],
  [{ PANDO_AUTH_PLAY_INTEGRITY_CERTIFICATES: 'AB:CD' }, /SHA-256 digests/],
  [
    { PANDO_AUTH_PLAY_INTEGRITY_CERTIFICATES: '', PANDO_AUTH_PLAY_INTEGRITY_UNRECOGNIZED_ALLOWED: 'true' },
    /unrecognized_allowed needs certificates/,
  ],
  [{ PANDO_AUTH_PLAY_INTEGRITY_DECRYPTION_KEY: keys.decryptionKey }, /both of decryption_key and verification_key/],
  [
    { PANDO_AUTH_PLAY_INTEGRITY_DECRYPTION_KEY: 'AAAA', PANDO_AUTH_PLAY_INTEGRITY_VERIFICATION_KEY: 'AAAA' },
    /decryption_key or verification_key cannot be read/,
  ],
])('a configuration that cannot work is refused at the start: %o', async (wrong, reason) => {
  const started = startApi({ beside: api, environment: { ...environment, ...wrong } as Record<string, string> })
  await expect(started).rejects.toThrow(reason)
})
