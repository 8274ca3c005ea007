import type { Session, SupabaseClient, User } from '@supabase/supabase-js'
import { TOTP } from 'otpauth'
import { type Api, ask, type Received } from './start-api.ts'

export type Person = {
  readonly client: SupabaseClient
  readonly email: string
  readonly user: User
  readonly session: Session
}

const password = 'correct horse battery'
let addresses = 0

/** The app beside the phone: its code of now, or of some steps later. */
export const codeOf = (secret: string, steps = 0): string =>
  new TOTP({ secret }).generate({ timestamp: Date.now() + steps * 30_000 })

export async function signUp(api: Api): Promise<Person> {
  const email = `person${++addresses}@example.com`
  const client = api.client()
  const { data, error } = await client.auth.signUp({ email, password })
  if (error !== null || data.session === null) throw error ?? new Error('no session')
  return { client, email, user: data.user!, session: data.session }
}

/** A person whose session has proved an authenticator app. */
export async function signUpWithTotp(api: Api): Promise<Person & { factorId: string; secret: string }> {
  const person = await signUp(api)
  const { mfa } = person.client.auth
  const { data, error } = await mfa.enroll({ factorType: 'totp', friendlyName: 'my phone' })
  if (error !== null) throw error
  const { id: factorId, totp } = data
  const verified = await mfa.challengeAndVerify({ factorId, code: codeOf(totp.secret) })
  if (verified.error !== null) throw verified.error
  return { ...person, factorId, secret: totp.secret }
}

/** Another session of a person, by password alone. */
export async function signIn(api: Api, email: string): Promise<SupabaseClient> {
  const client = api.client()
  const { error } = await client.auth.signInWithPassword({ email, password })
  if (error !== null) throw error
  return client
}

/** What the SDK has no method for, as the person who is signed in. The path is below `/auth/v1`. */
export async function askAs(
  api: Api,
  client: SupabaseClient,
  { path, body, method }: { path: string; body?: unknown; method?: string },
): Promise<Received> {
  const { data } = await client.auth.getSession()
  const headers = { apikey: api.keys.anonKey, Authorization: `Bearer ${data.session?.access_token}` }
  return ask(`${api.url}/auth/v1${path}`, { method, headers, body })
}

export async function levelOf(client: SupabaseClient): Promise<string | null | undefined> {
  return (await client.auth.mfa.getAuthenticatorAssuranceLevel()).data?.currentLevel
}
