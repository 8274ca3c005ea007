import { afterAll, beforeAll, expect, test } from 'vitest'
import { askAs, codeOf, levelOf, signIn, signUp, signUpWithTotp } from './testing/second-factors.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

let api: Api

beforeAll(async () => {
  api = await startApi({
    sql: `create table vault (id bigint generated always as identity primary key, owner uuid default auth.uid(), text text);
      alter table vault enable row level security;
      create policy own on vault to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
      create policy proven on vault as restrictive to authenticated using (auth.jwt() ->> 'aal' = 'aal2');`,
    environment: {
      PANDO_AUTH_PHONE_FACTOR_ENROLL_ENABLED: 'true',
      PANDO_AUTH_PHONE_FACTOR_VERIFY_ENABLED: 'true',
      PANDO_AUTH_RATE_LIMIT_LOOPBACK: 'false',
      PANDO_AUTH_FACTORS_MAX: '3',
      PANDO_AUTH_FAILURES_FREE: '99',
    },
  })
})

afterAll(() => api?.stop())

test('an app is enrolled with a picture, a secret and an address, and counts once it is verified', async () => {
  const { client } = await signUp(api)
  const { data } = await client.auth.mfa.enroll({ factorType: 'totp', issuer: 'Roam' })
  expect(data).toMatchObject({ type: 'totp', friendly_name: '', id: expect.any(String) })
  expect(data!.totp.qr_code).toMatch(/^data:image\/svg\+xml;utf-8,<svg [^#]*<\/svg>$/)
  expect(data!.totp.secret).toMatch(/^[A-Z2-7]{32}$/)
  expect(data!.totp.uri).toMatch(/^otpauth:\/\/totp\/Roam:/)
  expect((await client.auth.mfa.listFactors()).data?.totp).toEqual([])
  const wrong = await client.auth.mfa.challengeAndVerify({ factorId: data!.id, code: '12345a' })
  expect(wrong.error).toMatchObject({
    code: 'mfa_verification_failed',
    message: 'Invalid TOTP code entered',
    status: 422,
  })
  const right = await client.auth.mfa.challengeAndVerify({ factorId: data!.id, code: codeOf(data!.totp.secret) })
  expect(right.error).toBeNull()
  expect((await client.auth.mfa.listFactors()).data?.totp).toMatchObject([{ id: data!.id, status: 'verified' }])
})

test('verifying lifts this session to aal2, which policies see and a refresh keeps', async () => {
  const { client, user, email } = await signUpWithTotp(api)
  const other = await signIn(api, email)
  expect((await client.auth.mfa.getAuthenticatorAssuranceLevel()).data).toMatchObject({
    currentLevel: 'aal2',
    nextLevel: 'aal2',
    currentAuthenticationMethods: expect.arrayContaining([
      expect.objectContaining({ method: 'totp' }),
      expect.objectContaining({ method: 'password' }),
    ]),
  })
  expect((await client.from('vault').insert({ text: 'mine' })).error).toBeNull()
  expect((await client.from('vault').select('owner')).data).toEqual([{ owner: user.id }])
  expect(await levelOf(other)).toBe('aal1')
  expect((await other.from('vault').select('owner')).data).toEqual([])
  const { data } = await client.auth.refreshSession()
  expect(data.session?.access_token).toEqual(expect.any(String))
  expect(await levelOf(client)).toBe('aal2')
})

test('a refresh token from before the second factor refreshes nothing, and does no harm', async () => {
  const { client, session } = await signUpWithTotp(api)
  const stale = await ask(`${api.url}/auth/v1/token?grant_type=refresh_token`, {
    headers: { apikey: api.keys.anonKey },
    body: { refresh_token: session.refresh_token },
  })
  expect(stale.body).toMatchObject({ error_code: 'refresh_token_not_found' })
  expect((await client.auth.refreshSession()).error).toBeNull()
})

test('a half session can prove more or leave, and nothing else', async () => {
  const { email, factorId, secret } = await signUpWithTotp(api)
  const half = await signIn(api, email)
  expect((await half.auth.getUser()).data.user?.email).toBe(email)
  const refused = await Promise.all([
    half.auth.updateUser({ password: 'another long password' }),
    half.auth.updateUser({ data: { name: 'Eve' } }),
    half.auth.mfa.enroll({ factorType: 'totp' }),
    half.auth.mfa.unenroll({ factorId }),
  ])
  for (const { error } of refused) expect(error).toMatchObject({ code: 'insufficient_aal' })
  expect((await askAs(api, half, { path: '/factors/recovery_codes', body: {} })).body).toMatchObject({
    error_code: 'insufficient_aal',
  })
  expect((await askAs(api, half, { path: '/passkeys/registration/options', body: {} })).body).toMatchObject({
    error_code: 'insufficient_aal',
  })
  const lifted = await half.auth.mfa.challengeAndVerify({ factorId, code: codeOf(secret, 1) })
  expect(lifted.data?.user.email).toBe(email)
  expect((await half.auth.updateUser({ data: { name: 'Ada' } })).error).toBeNull()
  const leaving = await signIn(api, email)
  expect((await leaving.auth.signOut()).error).toBeNull()
})

test('who comes in by a recovery mail still needs the second factor to set a password', async () => {
  const { client, email } = await signUp(api)
  const codeFor = async (wanted: string) => (await api.mails(email)).find(({ kind }) => kind === wanted)!.code!
  // Until the address is proved it may be somebody else's, and so are the factors.
  await client.auth.signInWithOtp({ email })
  await client.auth.verifyOtp({ email, token: await codeFor('magic_link'), type: 'email' })
  const { data } = await client.auth.mfa.enroll({ factorType: 'totp' })
  await client.auth.mfa.challengeAndVerify({ factorId: data!.id, code: codeOf(data!.totp.secret) })

  const recovering = api.client()
  await recovering.auth.resetPasswordForEmail(email)
  const token = await codeFor('recovery')
  expect((await recovering.auth.verifyOtp({ email, token, type: 'recovery' })).error).toBeNull()
  const { error } = await recovering.auth.updateUser({ password: 'another long password' })
  expect(error).toMatchObject({ code: 'insufficient_aal' })
})

test('a factor that was begun before another was verified cannot be completed from a half session', async () => {
  const { client, email } = await signUp(api)
  const planted = (await client.auth.mfa.enroll({ factorType: 'phone', phone: '+4915112345678' })).data!
  const own = (await client.auth.mfa.enroll({ factorType: 'totp' })).data!
  await client.auth.mfa.challengeAndVerify({ factorId: own.id, code: codeOf(own.totp.secret) })
  const half = await signIn(api, email)
  const { error } = await half.auth.mfa.challenge({ factorId: planted.id })
  expect(error).toMatchObject({ code: 'insufficient_aal' })
})

test('the first factor ends other sessions that have proved none', async () => {
  const { client, email } = await signUp(api)
  const thief = await signIn(api, email)
  const { data } = await client.auth.mfa.enroll({ factorType: 'totp' })
  await client.auth.mfa.challengeAndVerify({ factorId: data!.id, code: codeOf(data!.totp.secret) })
  expect((await thief.auth.getUser()).error).not.toBeNull()
  expect((await thief.auth.refreshSession()).error).not.toBeNull()
  expect((await client.auth.getUser()).error).toBeNull()
})

test('of 50 verifications with one code at once exactly one wins, by one challenge or by many', async () => {
  for (const isShared of [true, false]) {
    const { client, email, factorId, secret } = await signUpWithTotp(api)
    const half = await signIn(api, email)
    const ids: string[] = []
    for (let count = 0; count < (isShared ? 1 : 50); count++) {
      ids.push((await half.auth.mfa.challenge({ factorId })).data!.id)
    }
    const code = codeOf(secret, 1)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        askAs(api, half, { path: `/factors/${factorId}/verify`, body: { challenge_id: ids[at % ids.length], code } }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect((await client.auth.getUser()).error).toBeNull()
  }
})

test('a code is good once, also for another challenge', async () => {
  const { email, factorId, secret } = await signUpWithTotp(api)
  const code = codeOf(secret, 1)
  const [first, second] = [await signIn(api, email), await signIn(api, email)]
  expect((await first.auth.mfa.challengeAndVerify({ factorId, code })).error).toBeNull()
  const again = await second.auth.mfa.challengeAndVerify({ factorId, code })
  expect(again.error).toMatchObject({ code: 'mfa_verification_failed' })
})

test('a challenge takes five tries, and is for its own factor and time', async () => {
  const { client, email, factorId, secret } = await signUpWithTotp(api)
  const half = await signIn(api, email)
  const verify = (challengeId: string, code: string) => half.auth.mfa.verify({ factorId, challengeId, code })
  const { data: tried } = await half.auth.mfa.challenge({ factorId })
  for (let count = 0; count < 5; count++) {
    expect((await verify(tried!.id, '000000')).error).toMatchObject({ code: 'mfa_verification_failed' })
  }
  expect((await verify(tried!.id, codeOf(secret, 1))).error).toMatchObject({ code: 'mfa_challenge_expired' })
  const { data: old } = await half.auth.mfa.challenge({ factorId })
  await api.database.query(`update auth.mfa_challenges set created_at = now() - interval '6 minutes' where id = $1`, [
    old!.id,
  ])
  expect((await verify(old!.id, codeOf(secret, 1))).error).toMatchObject({ code: 'mfa_challenge_expired' })
  const stranger = await signUpWithTotp(api)
  const { data: foreign } = await stranger.client.auth.mfa.challenge({ factorId: stranger.factorId })
  expect((await verify(foreign!.id, codeOf(secret, 1))).error).toMatchObject({ code: 'mfa_factor_not_found' })
  const { error } = await client.auth.mfa.challenge({ factorId: stranger.factorId })
  expect(error).toMatchObject({ code: 'mfa_factor_not_found', status: 404 })
})

test('secrets are sealed at rest', async () => {
  const { secret, factorId } = await signUpWithTotp(api)
  const [row] = await api.database.query<{ secret: string }>('select secret from auth.mfa_factors where id = $1', [
    factorId,
  ])
  expect(row!.secret).toMatch(/^aes256gcm\./)
  expect(row!.secret).not.toContain(secret)
})

test('a secret that came along from another system works, and is sealed when it is used', async () => {
  const { client } = await signUp(api)
  const { data } = await client.auth.mfa.enroll({ factorType: 'totp' })
  const plain = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
  await api.database.query('update auth.mfa_factors set secret = $2 where id = $1', [data!.id, plain])
  const { error } = await client.auth.mfa.challengeAndVerify({ factorId: data!.id, code: codeOf(plain) })
  expect(error).toBeNull()
  const [row] = await api.database.query<{ secret: string }>('select secret from auth.mfa_factors where id = $1', [
    data!.id,
  ])
  expect(row!.secret).toMatch(/^aes256gcm\./)
})

test('a factor that did not count yet goes without ending anything', async () => {
  const { client, email } = await signUpWithTotp(api)
  const other = await signIn(api, email)
  const { data } = await client.auth.mfa.enroll({ factorType: 'totp' })
  expect((await client.auth.mfa.unenroll({ factorId: data!.id })).error).toBeNull()
  expect((await other.auth.refreshSession()).error).toBeNull()
  expect((await client.from('vault').insert({ text: 'mine' })).error).toBeNull()
})

test('without its factor a session is aal1 again', async () => {
  const { client, factorId } = await signUpWithTotp(api)
  expect((await client.auth.mfa.unenroll({ factorId })).data).toEqual({ id: factorId })
  expect((await client.auth.refreshSession()).error).toBeNull()
  expect(await levelOf(client)).toBe('aal1')
  const { data } = await client.auth.getClaims()
  expect(data?.claims.amr).toMatchObject([{ method: 'password' }])
})

test('factors that were begun and left do not count, and those that were verified do', async () => {
  const { client } = await signUp(api)
  const enroll = () => client.auth.mfa.enroll({ factorType: 'totp' })
  for (let count = 0; count < 5; count++) expect((await enroll()).error).toBeNull()
  expect((await client.auth.mfa.listFactors()).data?.all).toHaveLength(3)
  for (let count = 0; count < 3; count++) {
    const { data } = await enroll()
    const { error } = await client.auth.mfa.challengeAndVerify({ factorId: data!.id, code: codeOf(data!.totp.secret) })
    expect(error).toBeNull()
  }
  expect((await enroll()).error).toMatchObject({ code: 'too_many_enrolled_mfa_factors' })
})

test('two factors of one name are refused, and what is none too', async () => {
  const { client } = await signUpWithTotp(api)
  const again = await client.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'my phone' })
  expect(again.error).toMatchObject({ code: 'mfa_factor_name_conflict' })
  expect((await askAs(api, client, { path: '/factors', body: { factor_type: 'magic' } })).body).toMatchObject({
    error_code: 'validation_failed',
    msg: 'factor_type needs to be totp, phone, or webauthn',
  })
  expect((await askAs(api, client, { path: '/factors', body: { factor_type: 'webauthn' } })).body).toMatchObject({
    error_code: 'mfa_webauthn_enroll_not_enabled',
  })
  expect((await askAs(api, client, { path: '/factors', body: { factor_type: ['totp'] } })).body).toMatchObject({
    error_code: 'bad_json',
  })
})

test('an admin sees, renames and removes factors', async () => {
  const { client, user, factorId } = await signUpWithTotp(api)
  const { mfa } = api.client(api.keys.serviceRoleKey).auth.admin
  expect((await mfa.listFactors({ userId: user.id })).data?.factors).toMatchObject([
    { id: factorId, status: 'verified' },
  ])
  const renamed = await ask(`${api.url}/auth/v1/admin/users/${user.id}/factors/${factorId}`, {
    method: 'PUT',
    headers: { apikey: api.keys.serviceRoleKey, Authorization: `Bearer ${api.keys.serviceRoleKey}` },
    body: { friendly_name: 'old phone' },
  })
  expect(renamed).toMatchObject({ status: 200, body: { id: factorId, friendly_name: 'old phone' } })
  expect((await client.auth.getUser()).error).toBeNull()
  expect((await mfa.deleteFactor({ userId: user.id, id: factorId })).error).toBeNull()
  expect((await client.auth.refreshSession()).error).toMatchObject({ code: 'refresh_token_not_found' })
})
