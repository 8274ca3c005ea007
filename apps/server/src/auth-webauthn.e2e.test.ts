import type { createClient } from '@supabase/supabase-js'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { executablePath, launchBrowser, openWithAuthenticator, startWebApp } from './testing/browser.ts'
import { askAs, signUp } from './testing/second-factors.ts'
import { createSoftwareAuthenticator } from './testing/software-authenticator.ts'
import { type Api, startApi } from './testing/start-api.ts'

let api: Api
let app: Awaited<ReturnType<typeof startWebApp>>
let browser: Browser | undefined

beforeAll(async () => {
  app = await startWebApp()
  api = await startApi({
    sql: '',
    environment: {
      PANDO_AUTH_PASSKEYS_ENABLED: 'true',
      PANDO_AUTH_WEBAUTHN_ENROLL_ENABLED: 'true',
      PANDO_AUTH_WEBAUTHN_VERIFY_ENABLED: 'true',
      PANDO_AUTH_WEBAUTHN_RP_ID: 'localhost',
      PANDO_AUTH_WEBAUTHN_RP_ORIGINS: app.origin,
      PANDO_AUTH_WEBAUTHN_RP_DISPLAY_NAME: 'Roam',
      PANDO_AUTH_RATE_LIMIT_LOOPBACK: 'false',
    },
  })
  if (executablePath !== undefined) browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  await api?.stop()
  await app?.stop()
})

type Sdk = { readonly supabase: { readonly createClient: typeof createClient } }
type Given = { readonly url: string; readonly key: string; readonly email: string; readonly password: string }

let addresses = 0
const newPerson = (): Given => ({
  url: api.url,
  key: api.keys.anonKey,
  email: `key${++addresses}@example.com`,
  password: 'correct horse battery',
})

/** Without a browser on the machine there is nothing to look with; CI always has one. */
describe.skipIf(executablePath === undefined)('in a browser', () => {
  test('a passkey is made and signs in, by the SDK alone', async () => {
    const context = await browser!.newContext()
    const page = await openWithAuthenticator(context, { origin: app.origin, transport: 'internal' })
    const seen = await page.evaluate(async ({ url, key, email, password }) => {
      const { supabase } = globalThis as unknown as Sdk
      const options = { auth: { experimental: { passkey: true } } }
      const { auth } = supabase.createClient(url, key, options)
      const signedUp = await auth.signUp({ email, password })
      const made = await auth.registerPasskey()
      await auth.signOut()
      const signedIn = await auth.signInWithPasskey()
      const claims = await auth.getClaims()
      const listed = await auth.passkey.list()
      return {
        errors: [signedUp.error, made.error, signedIn.error, listed.error].map((error) => error?.message),
        isSame: signedIn.data?.user?.id === signedUp.data.user?.id,
        amr: claims.data?.claims.amr?.map((entry) => (typeof entry === 'string' ? entry : entry.method)),
        passkeys: listed.data?.length,
      }
    }, newPerson())
    expect(seen).toEqual({
      errors: [undefined, undefined, undefined, undefined],
      isSame: true,
      amr: ['passkey'],
      passkeys: 1,
    })
    await context.close()
  })

  test('a security key is a second factor, by the SDK alone', async () => {
    const context = await browser!.newContext()
    const page = await openWithAuthenticator(context, { origin: app.origin, transport: 'usb' })
    const seen = await page.evaluate(async ({ url, key, email, password }) => {
      const { supabase } = globalThis as unknown as Sdk
      const { auth } = supabase.createClient(url, key)
      const levels: unknown[] = []
      const noteLevel = async () => levels.push((await auth.mfa.getAuthenticatorAssuranceLevel()).data?.currentLevel)
      await auth.signUp({ email, password })
      const made = await auth.mfa.webauthn.register({ friendlyName: 'blue key' })
      await noteLevel()
      await auth.signOut()
      await auth.signInWithPassword({ email, password })
      await noteLevel()
      const factorId = (await auth.mfa.listFactors()).data!.webauthn[0]!.id
      const proved = await auth.mfa.webauthn.authenticate({ factorId })
      await noteLevel()
      return { errors: [made.error?.message, proved.error?.message], levels }
    }, newPerson())
    expect(seen).toEqual({ errors: [undefined, undefined], levels: ['aal2', 'aal1', 'aal2'] })
    await context.close()
  })
})

/** A person with a security key in memory, and how the key is asked and answers. */
async function signUpWithKey() {
  const person = await signUp(api)
  const key = createSoftwareAuthenticator({ rpId: 'localhost', origin: app.origin })
  const enrolled = await askAs(api, person.client, { path: '/factors', body: { factor_type: 'webauthn' } })
  const { id } = enrolled.body as { id: string }
  const challenge = async () => {
    const { body } = await askAs(api, person.client, { path: `/factors/${id}/challenge`, body: {} })
    return body as {
      id: string
      webauthn: { type: string; credential_options: { publicKey: { challenge: string; user: { id: string } } } }
    }
  }
  const verify = (challengeId: string, type: string, credential: object) => {
    const body = { challenge_id: challengeId, webauthn: { type, credential_response: credential } }
    return askAs(api, person.client, { path: `/factors/${id}/verify`, body })
  }
  const first = await challenge()
  expect(first.webauthn.type).toBe('create')
  return { ...person, key, challenge, verify, first }
}

test('a key of another origin is not enrolled, and the question is used up', async () => {
  const { key, first, verify, challenge } = await signUpWithKey()
  const { publicKey } = first.webauthn.credential_options
  const phished = await verify(first.id, 'create', key.create(publicKey, { origin: 'http://localhost:1' }))
  expect(phished.body).toMatchObject({ error_code: 'webauthn_verification_failed' })
  const late = await verify(first.id, 'create', key.create(publicKey))
  expect(late.body).toMatchObject({ error_code: 'mfa_challenge_expired' })
  const second = await challenge()
  const right = await verify(second.id, 'create', key.create(second.webauthn.credential_options.publicKey))
  expect(right.status).toBe(200)
})

test('of 50 answers of a key exactly one wins, a key that counts back loses, and another key does too', async () => {
  const { client, key, first, verify, challenge } = await signUpWithKey()
  const made = await verify(first.id, 'create', key.create(first.webauthn.credential_options.publicKey))
  const { access_token, refresh_token } = made.body as { access_token: string; refresh_token: string }
  await client.auth.setSession({ access_token, refresh_token })

  const asked = await challenge()
  expect(asked.webauthn).toMatchObject({
    type: 'request',
    credential_options: { publicKey: { rpId: 'localhost', allowCredentials: [{ id: key.credentialId }] } },
  })
  const answer = key.get(asked.webauthn.credential_options.publicKey, { counter: 5 })
  const answers = await Promise.all(Array.from({ length: 50 }, () => verify(asked.id, 'request', answer)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)

  const other = createSoftwareAuthenticator({ rpId: 'localhost', origin: app.origin })
  for (const lie of [
    (publicKey: { challenge: string }) => key.get(publicKey, { counter: 5 }),
    (publicKey: { challenge: string }) => other.get(publicKey),
    (publicKey: { challenge: string }) => other.get(publicKey, { credentialId: key.credentialId }),
  ]) {
    const next = await challenge()
    const refused = await verify(next.id, 'request', lie(next.webauthn.credential_options.publicKey))
    expect(refused.body).toMatchObject({ error_code: 'webauthn_verification_failed' })
  }
  const last = await challenge()
  const creation = { ...last.webauthn.credential_options.publicKey, user: { id: '' } }
  const wrongType = await verify(last.id, 'create', other.create(creation))
  expect(wrongType.body).toMatchObject({ error_code: 'validation_failed' })
})
