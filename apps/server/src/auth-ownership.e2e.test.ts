import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Api, startApi } from './testing/start-api.ts'

/**
 * An attacker sets up an account with somebody else's address; then the owner of the address proves it. Whatever the
 * attacker had must be worth nothing afterwards.
 */
const environment = {
  PANDO_AUTH_EMAIL_FREQUENCY: '0',
  PANDO_AUTH_ANONYMOUS_ENABLED: 'true',
  PANDO_AUTH_PHONE_SIGNUP_ENABLED: 'true',
  PANDO_AUTH_SMS_FREQUENCY: '0',
}
let confirming: Api
let trusting: Api

beforeAll(async () => {
  confirming = await startApi({ sql: '', environment: { ...environment, PANDO_AUTH_EMAIL_CONFIRMATIONS: 'true' } })
  trusting = await startApi({ sql: '', environment: { ...environment, PANDO_AUTH_EMAIL_CONFIRMATIONS: 'false' } })
})

afterAll(async () => {
  await confirming?.stop()
  await trusting?.stop()
})

let addresses = 0
const newAddress = (): string => `person${++addresses}@example.com`
const evil = 'the password of somebody else'
const own = 'correct horse battery'

type Type = 'signup' | 'magiclink' | 'email' | 'recovery' | 'invite'
const prove = async (api: Api, email: string, type: Type) => {
  const client = api.client()
  const token_hash = (await api.mails(email))[0]!.tokenHash!
  const { error, data } = await client.auth.verifyOtp({ token_hash, type })
  expect(error).toBeNull()
  return { client, user: data.user! }
}
const lets = async (api: Api, email: string, password: string): Promise<boolean> =>
  (await api.client().auth.signInWithPassword({ email, password })).error === null

/** How an owner proves an address. */
const proofs: Readonly<Record<string, (api: Api, email: string) => Promise<Type>>> = {
  'a code': async (api, email) => {
    await api.client().auth.signInWithOtp({ email })
    return 'email'
  },
  'a forgotten password': async (api, email) => {
    await api.client().auth.resetPasswordForEmail(email)
    return 'recovery'
  },
  'an invitation': async (api, email) => {
    await api.client(api.keys.serviceRoleKey).auth.admin.inviteUserByEmail(email)
    return 'invite'
  },
  'a sign-up': async (api, email) => {
    await api.client().auth.signUp({ email, password: own })
    return 'signup'
  },
}

describe('where addresses are confirmed', () => {
  test.each(Object.keys(proofs))('a password that was set before dies when the owner comes by %s', async (name) => {
    const email = newAddress()
    await confirming.client().auth.signUp({ email, password: evil })
    await prove(confirming, email, await proofs[name]!(confirming, email))
    expect(await lets(confirming, email, evil)).toBe(false)
  })

  test.each(['a code', 'an invitation', 'a sign-up'])('nor does it come back by a sign-up after %s', async (name) => {
    const email = newAddress()
    const type = await proofs[name]!(confirming, email)
    const before = (await confirming.mails(email))[0]!.tokenHash
    await confirming.client().auth.signUp({ email, password: evil })
    const isReplaced = (await confirming.mails(email))[0]!.tokenHash !== before
    await prove(confirming, email, isReplaced ? 'signup' : type)
    expect(await lets(confirming, email, evil)).toBe(false)
  })

  test('who signs up twice with one password keeps it', async () => {
    const email = newAddress()
    const client = confirming.client()
    await client.auth.signUp({ email, password: own })
    await client.auth.signUp({ email, password: own })
    await client.auth.resend({ type: 'signup', email })
    await prove(confirming, email, 'signup')
    expect(await lets(confirming, email, own)).toBe(true)
  })

  test('nobody can take the password of an account that is confirmed', async () => {
    const email = newAddress()
    await confirming.client().auth.signUp({ email, password: own })
    const { client } = await prove(confirming, email, 'signup')
    await confirming.client().auth.signUp({ email, password: evil })
    await confirming.client().auth.signInWithOtp({ email })
    await confirming.client().auth.resetPasswordForEmail(email)
    await prove(confirming, email, 'recovery')
    expect(await lets(confirming, email, own)).toBe(true)
    expect((await client.auth.getUser()).error).toBeNull()
  })
})

describe('where addresses are not confirmed', () => {
  const { 'a code': byCode, 'a forgotten password': byRecovery } = proofs

  test.each([
    ['magiclink', byCode!],
    ['recovery', byRecovery!],
  ] as const)('the first proof (%s) ends all that was set up before it', async (type, ask) => {
    const email = newAddress()
    const attacker = trusting.client()
    await attacker.auth.signUp({ email, password: evil })
    await attacker.auth.updateUser({ email: newAddress() })
    const factor = await attacker.auth.mfa.enroll({ factorType: 'totp' })
    expect(factor.error).toBeNull()
    await ask(trusting, email)
    const { client, user } = await prove(trusting, email, type)
    expect(user).toMatchObject({ email, identities: [{ identity_data: { email_verified: true } }] })
    expect(user.new_email).toBeUndefined()
    expect((await attacker.auth.getUser()).error).not.toBeNull()
    expect((await attacker.auth.refreshSession()).error).not.toBeNull()
    expect(await lets(trusting, email, evil)).toBe(false)
    expect((await client.auth.mfa.listFactors()).data?.all).toEqual([])
    const [tokens] = await trusting.database.query<{ count: number }>(
      'select count(*)::int from auth.one_time_tokens where user_id = $1',
      [user.id],
    )
    expect(tokens!.count).toBe(0)
  })

  test('later proofs only sign in', async () => {
    const email = newAddress()
    const client = trusting.client()
    await client.auth.signUp({ email, password: evil })
    await byCode!(trusting, email)
    const { client: owner } = await prove(trusting, email, 'magiclink')
    await owner.auth.updateUser({ password: own })
    await byCode!(trusting, email)
    await prove(trusting, email, 'magiclink')
    expect(await lets(trusting, email, own)).toBe(true)
    expect((await owner.auth.getUser()).error).toBeNull()
  })

  test('an address that somebody anonymous took belongs to whoever proves it', async () => {
    const email = newAddress()
    const attacker = trusting.client()
    await attacker.auth.signInAnonymously()
    const { data } = await attacker.auth.updateUser({ email, password: evil })
    expect(data.user).toMatchObject({ email, is_anonymous: false })
    expect(await lets(trusting, email, evil)).toBe(true)
    await byCode!(trusting, email)
    await prove(trusting, email, 'magiclink')
    expect((await attacker.auth.getUser()).error).not.toBeNull()
    expect(await lets(trusting, email, evil)).toBe(false)
  })

  test('an account made by an admin with a confirmed address is proven', async () => {
    const email = newAddress()
    const { auth } = trusting.client(trusting.keys.serviceRoleKey)
    await auth.admin.createUser({ email, password: own, email_confirm: true })
    await byCode!(trusting, email)
    await prove(trusting, email, 'magiclink')
    expect(await lets(trusting, email, own)).toBe(true)
  })
})
