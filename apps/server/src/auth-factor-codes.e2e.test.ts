import { afterAll, beforeAll, expect, test } from 'vitest'
import { askAs, codeOf, levelOf, signIn, signUp, signUpWithTotp } from './testing/second-factors.ts'
import { type Api, startApi } from './testing/start-api.ts'

let api: Api

beforeAll(async () => {
  api = await startApi({
    sql: `create schema hooks;
      grant usage on schema hooks to supabase_auth_admin;
      create table hooks.attempts (id bigint generated always as identity, factor uuid, valid boolean);
      create table hooks.rejected (factor uuid);
      grant select, insert on hooks.attempts, hooks.rejected to supabase_auth_admin;
      create function hooks.mfa(event jsonb) returns jsonb language plpgsql as $$
      begin
        insert into hooks.attempts (factor, valid) values ((event ->> 'factor_id')::uuid, (event ->> 'valid')::boolean);
        if exists (select from hooks.rejected where factor = (event ->> 'factor_id')::uuid) then
          return '{"decision": "reject", "message": "Call us"}';
        end if;
        return '{"decision": "continue"}';
      end
      $$;`,
    environment: {
      PANDO_AUTH_PHONE_FACTOR_ENROLL_ENABLED: 'true',
      PANDO_AUTH_PHONE_FACTOR_VERIFY_ENABLED: 'true',
      PANDO_AUTH_PHONE_FACTOR_TEMPLATE: 'Roam: {{ .Code }}',
      PANDO_AUTH_RATE_LIMIT_LOOPBACK: 'false',
      PANDO_AUTH_HOOK_MFA_VERIFICATION_ATTEMPT_ENABLED: 'true',
      PANDO_AUTH_HOOK_MFA_VERIFICATION_ATTEMPT_URI: 'pg-functions://postgres/hooks/mfa',
    },
  })
})

afterAll(() => api?.stop())

let numbers = 0
const newNumber = (): string => `49151${String(++numbers).padStart(8, '0')}`

async function signUpWithPhoneFactor() {
  const person = await signUp(api)
  const number = newNumber()
  const { data, error } = await person.client.auth.mfa.enroll({ factorType: 'phone', phone: `+${number}` })
  expect(error).toBeNull()
  return { ...person, number, factorId: data!.id }
}

const sentTo = async (number: string) => (await api.texts(number))[0]!

/** As if the last code had been sent a minute ago. */
const letTimePass = (factorId: string) =>
  api.database.query(
    `update auth.mfa_factors set last_challenged_at = last_challenged_at - interval '1 minute' where id = $1`,
    [factorId],
  )

test('a code that comes to a phone is a second factor', async () => {
  const { client, number, factorId } = await signUpWithPhoneFactor()
  const { data, error } = await client.auth.mfa.challenge({ factorId, channel: 'sms' })
  expect(error).toBeNull()
  expect(data).toMatchObject({ type: 'phone', expires_at: expect.any(Number) })
  const { text, code } = await sentTo(number)
  expect(text).toBe(`Roam: ${code}`)
  const wrong = await client.auth.mfa.verify({ factorId, challengeId: data!.id, code: '12345x' })
  expect(wrong.error).toMatchObject({ code: 'mfa_verification_failed', message: 'Invalid MFA Phone code entered' })
  expect((await client.auth.mfa.verify({ factorId, challengeId: data!.id, code: code! })).error).toBeNull()
  expect(await levelOf(client)).toBe('aal2')
  expect((await client.auth.getClaims()).data?.claims.amr).toMatchObject([
    { method: 'mfa/phone' },
    { method: 'password' },
  ])
  expect((await client.auth.mfa.listFactors()).data?.phone).toMatchObject([{ id: factorId, phone: number }])
})

test('of 50 answers with the code of a text message exactly one wins, and the code is stored hashed', async () => {
  const { client, number, factorId } = await signUpWithPhoneFactor()
  const { data } = await client.auth.mfa.challenge({ factorId, channel: 'sms' })
  const { code } = await sentTo(number)
  const [row] = await api.database.query<{ otp_code: string }>(
    'select otp_code from auth.mfa_challenges where id = $1',
    [data!.id],
  )
  expect(row!.otp_code).not.toContain(code)
  const body = { challenge_id: data!.id, code }
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => askAs(api, client, { path: `/factors/${factorId}/verify`, body })),
  )
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
})

test('a phone is not asked too often, and a code is for its own challenge', async () => {
  const { client, number, factorId } = await signUpWithPhoneFactor()
  const { data: first } = await client.auth.mfa.challenge({ factorId, channel: 'sms' })
  const { code } = await sentTo(number)
  const soon = await client.auth.mfa.challenge({ factorId, channel: 'sms' })
  expect(soon.error).toMatchObject({ code: 'over_sms_send_rate_limit', status: 429 })
  await letTimePass(factorId)
  const { data: second } = await client.auth.mfa.challenge({ factorId, channel: 'sms' })
  const crossed = await client.auth.mfa.verify({ factorId, challengeId: second!.id, code: code! })
  expect(crossed.error).toMatchObject({ code: 'mfa_verification_failed' })
  expect((await client.auth.mfa.verify({ factorId, challengeId: first!.id, code: code! })).error).toBeNull()
})

test('a number is a factor once, and only a number', async () => {
  const { client, number, factorId } = await signUpWithPhoneFactor()
  const { data } = await client.auth.mfa.challenge({ factorId, channel: 'sms' })
  await client.auth.mfa.verify({ factorId, challengeId: data!.id, code: (await sentTo(number)).code! })
  const again = await client.auth.mfa.enroll({ factorType: 'phone', phone: number })
  expect(again.error).toMatchObject({ code: 'mfa_verified_factor_exists' })
  const none = await client.auth.mfa.enroll({ factorType: 'phone', phone: 'call me' })
  expect(none.error).toMatchObject({ code: 'validation_failed' })
  const bad = await askAs(api, client, { path: `/factors/${factorId}/challenge`, body: { channel: 'pigeon' } })
  expect(bad.body).toMatchObject({ error_code: 'validation_failed' })
})

test('ten recovery codes stand in for a factor, each once', async () => {
  const { client, email, factorId, user } = await signUpWithTotp(api)
  const path = '/factors/recovery_codes'
  const { codes } = (await askAs(api, client, { path, body: {} })).body as { codes: string[] }
  expect(new Set(codes).size).toBe(10)
  for (const code of codes) expect(code).toMatch(/^[0-9a-z]{5}-[0-9a-z]{5}$/)
  const stored = await api.database.query<{ code_hash: string }>(
    'select code_hash from auth.mfa_recovery_codes where user_id = $1',
    [user.id],
  )
  expect(JSON.stringify(stored)).not.toContain(codes[0]!.replace('-', ''))

  const half = await signIn(api, email)
  const typed = codes[0]!.toUpperCase().replace('-', ' ')
  expect((await half.auth.mfa.challengeAndVerify({ factorId, code: typed })).error).toBeNull()
  expect((await half.auth.getClaims()).data?.claims).toMatchObject({
    aal: 'aal2',
    amr: [{ method: 'recovery_code' }, { method: 'password' }],
  })
  expect((await askAs(api, half, { path })).body).toEqual({ remaining: 9 })
  const again = await (await signIn(api, email)).auth.mfa.challengeAndVerify({ factorId, code: codes[0]! })
  expect(again.error).toMatchObject({ code: 'mfa_verification_failed' })
})

test('of 50 answers with one recovery code at once exactly one wins', async () => {
  const { client, email, factorId } = await signUpWithTotp(api)
  const { codes } = (await askAs(api, client, { path: '/factors/recovery_codes', body: {} })).body as {
    codes: string[]
  }
  const half = await signIn(api, email)
  const challenges = await Promise.all(Array.from({ length: 50 }, () => half.auth.mfa.challenge({ factorId })))
  const answers = await Promise.all(
    challenges.map(({ data }) => {
      const body = { challenge_id: data!.id, code: codes[0] }
      return askAs(api, half, { path: `/factors/${factorId}/verify`, body })
    }),
  )
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
})

test('new recovery codes void the old, belong to one person, and go with the last factor', async () => {
  const path = '/factors/recovery_codes'
  const { client, email, factorId, secret } = await signUpWithTotp(api)
  const make = async () => ((await askAs(api, client, { path, body: {} })).body as { codes: string[] }).codes
  const [old, current] = [await make(), await make()]
  const half = await signIn(api, email)
  const tryIt = (code: string) => half.auth.mfa.challengeAndVerify({ factorId, code })
  expect((await tryIt(old[0]!)).error).toMatchObject({ code: 'mfa_verification_failed' })
  const stranger = await signUpWithTotp(api)
  const foreign = await (
    await signIn(api, stranger.email)
  ).auth.mfa.challengeAndVerify({ factorId: stranger.factorId, code: current[0]! })
  expect(foreign.error).toMatchObject({ code: 'mfa_verification_failed' })

  await client.auth.mfa.unenroll({ factorId })
  expect((await askAs(api, client, { path, body: {} })).body).toMatchObject({ error_code: 'mfa_factor_not_found' })
  expect((await askAs(api, client, { path })).body).toEqual({ remaining: 0 })
  const { data } = await client.auth.mfa.enroll({ factorType: 'totp' })
  const early = await client.auth.mfa.challengeAndVerify({ factorId: data!.id, code: current[1]! })
  expect(early.error).toMatchObject({ code: 'mfa_verification_failed' })
  expect(codeOf(data!.totp.secret)).not.toBe(secret)
})

test('the owner is told by mail when a factor comes and when one goes', async () => {
  const { client, email, factorId } = await signUpWithTotp(api)
  await client.auth.mfa.unenroll({ factorId })
  await expect
    .poll(async () => (await api.mails(email)).map(({ kind }) => kind))
    .toEqual(['mfa_factor_unenrolled', 'mfa_factor_enrolled'])
})

test('the hook hears of each attempt, right or wrong, and whom it rejects is signed out everywhere', async () => {
  const { client, email, factorId, secret } = await signUpWithTotp(api)
  const half = await signIn(api, email)
  await half.auth.mfa.challengeAndVerify({ factorId, code: '00000x' })
  await api.database.query('insert into hooks.rejected (factor) values ($1)', [factorId])
  const { error } = await half.auth.mfa.challengeAndVerify({ factorId, code: codeOf(secret, 1) })
  expect(error).toMatchObject({ code: 'mfa_verification_rejected', message: 'Call us', status: 403 })
  const attempts = await api.database.query('select valid from hooks.attempts where factor = $1 order by id', [
    factorId,
  ])
  expect(attempts).toEqual([{ valid: true }, { valid: false }, { valid: true }])
  for (const each of [client, half]) expect((await each.auth.getUser()).error).not.toBeNull()
})
