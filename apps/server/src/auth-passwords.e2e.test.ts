import { createClient } from '@supabase/supabase-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeTo, follow, linkTo, newAddress } from './testing/messages.ts'
import { signUp } from './testing/second-factors.ts'
import { type Api, startApi } from './testing/start-api.ts'

let api: Api

beforeAll(async () => {
  api = await startApi({
    sql: '',
    environment: {
      PANDO_AUTH_EMAIL_FREQUENCY: '0',
      PANDO_AUTH_EMAIL_REQUIRE_CURRENT_PASSWORD: 'true',
      PANDO_AUTH_PASSWORD_WORDS: 'Roam,roaming,harbour café',
    },
  })
})

afterAll(() => api?.stop())

const password = 'correct horse battery'
const next = 'another long one'

test('a new password needs the one before', async () => {
  const { client, email } = await signUp(api)
  const refused = { status: 400, message: 'Current password required when setting new password.' }
  expect((await client.auth.updateUser({ password: next })).error).toMatchObject({
    code: 'current_password_required',
    ...refused,
  })
  const wrong = await client.auth.updateUser({ password: next, current_password: 'wrong horse battery' })
  expect(wrong.error).toMatchObject({ code: 'current_password_invalid', ...refused })
  expect((await api.client().auth.signInWithPassword({ email, password })).error).toBeNull()
  expect((await client.auth.updateUser({ password: next, current_password: password })).error).toBeNull()
  expect((await api.client().auth.signInWithPassword({ email, password: next })).error).toBeNull()
})

test('who guesses at the current password is slowed down like who guesses at a sign-in', async () => {
  const { client } = await signUp(api)
  const guess = async () =>
    (await client.auth.updateUser({ password: next, current_password: 'wrong horse battery' })).error?.code
  const codes: unknown[] = []
  for (let tries = 0; tries < 20; tries++) codes.push(await guess())
  expect(codes).toContain('over_request_rate_limit')
})

/** Somebody whose address is known to be theirs; that is what a forgotten password asks about. */
async function signInByCode(address: string) {
  const client = api.client()
  await client.auth.signInWithOtp({ email: address })
  await client.auth.verifyOtp({ email: address, token: await codeTo(api, address), type: 'email' })
  return client
}

test('who forgot the password, or never had one, is not asked for it; who has one and came by a code is', async () => {
  const email = 'forgetful@example.com'
  const client = await signInByCode(email)
  expect((await client.auth.updateUser({ password })).error).toBeNull()
  const again = await signInByCode(email)
  expect((await again.auth.updateUser({ password: next })).error).toMatchObject({ code: 'current_password_required' })
  for (const [flowType, chosen] of [
    ['implicit', next],
    ['pkce', 'yet another long one'],
  ] as const) {
    const forgetful = createClient(api.url, api.keys.anonKey, { auth: { persistSession: false, flowType } })
    await forgetful.auth.resetPasswordForEmail(email)
    await forgetful.auth.verifyOtp({ email, token: await codeTo(api, email), type: 'recovery' })
    expect((await forgetful.auth.updateUser({ password: chosen })).error, flowType).toBeNull()
    expect((await api.client().auth.signInWithPassword({ email, password: chosen })).error).toBeNull()
  }
})

test('who forgot the password and follows the link is not asked for it either', async () => {
  const email = 'forgets-again@example.com'
  const first = await signInByCode(email)
  await first.auth.updateUser({ password })
  await first.auth.resetPasswordForEmail(email)
  const session = Object.fromEntries(new URLSearchParams((await follow(await linkTo(api, email))).hash.slice(1)))
  const client = api.client()
  await client.auth.setSession({ access_token: session['access_token']!, refresh_token: session['refresh_token']! })
  expect((await client.auth.updateUser({ password: next })).error).toBeNull()
})

test('everything else is changed without it', async () => {
  const { client } = await signUp(api)
  expect((await client.auth.updateUser({ data: { name: 'Ada' } })).error).toBeNull()
})

test('words of the app make no password: each counts as one character', async () => {
  const codeOf = async (chosen: string) =>
    (await api.client().auth.signUp({ email: `w-${newAddress()}`, password: chosen })).error
  for (const chosen of ['roamroam', 'Roam2026!', 'ROAMing1234', 'HARBOUR CAFÉ 77'])
    expect(await codeOf(chosen), chosen).toMatchObject({ code: 'weak_password', reasons: ['pwned'] })
  for (const chosen of ['roam with nine geese', 'ro-am-2026']) expect(await codeOf(chosen), chosen).toBeNull()
})
