import { describe, expect, test } from 'vitest'
import { apple, azure, google, profileOfClaims } from './open-id.ts'

const microsoft = 'https://login.microsoftonline.com'
const tenant = '11111111-2222-3333-4444-555555555555'
const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad'
const rules = azure.idToken!

describe('Microsoft', () => {
  const accepts = (claims: Record<string, unknown>, url: string | undefined) =>
    rules.accepts!(claims, rules.issuer(url))

  test('any tenant may sign in at common, with the issuer that its id names', () => {
    const iss = `${microsoft}/${tenant}/v2.0`
    expect(accepts({ iss, tid: tenant }, undefined)).toBe(true)
    expect(accepts({ iss, tid: consumers }, undefined)).toBe(false)
    expect(accepts({ iss }, undefined)).toBe(false)
    expect(accepts({ iss: `https://evil.example/${tenant}/v2.0`, tid: tenant }, undefined)).toBe(false)
  })

  test('only the configured tenant may sign in where there is one', () => {
    const url = `${microsoft}/${tenant}`
    expect(rules.issuer(url)).toBe(`${url}/v2.0`)
    expect(accepts({ iss: `${microsoft}/${consumers}/v2.0`, tid: consumers }, url)).toBe(false)
  })

  test('an address of any tenant is proven only when Microsoft says so', () => {
    const verified = (claims: Record<string, unknown>, url?: string) =>
      profileOfClaims({ sub: 's', iss: 'i', email: 'a@example.com', ...claims }, rules, rules.issuer(url)).emailVerified
    expect(verified({ tid: tenant })).toBe(false)
    expect(verified({ tid: tenant, email_verified: true })).toBe(false)
    expect(verified({ tid: tenant, xms_edov: '1' })).toBe(true)
    expect(verified({ tid: tenant, xms_edov: false }, `${microsoft}/${tenant}`)).toBe(false)
    expect(verified({ tid: tenant }, `${microsoft}/${tenant}`)).toBe(true)
    expect(verified({ tid: consumers })).toBe(true)
  })
})

test('Google and Apple have a second name each, and no third', () => {
  const at = (definition: typeof google, iss: string) =>
    definition.idToken!.accepts!({ iss }, definition.idToken!.issuer(undefined))
  expect(at(google, 'accounts.google.com')).toBe(true)
  expect(at(google, 'accounts.google.com.evil.example')).toBe(false)
  expect(at(apple, 'https://account.apple.com')).toBe(true)
  expect(at(apple, 'https://apple.com')).toBe(false)
})

test('a provider of one’s own under these names has no second name', () => {
  const issuer = google.idToken!.issuer('http://127.0.0.1:1')
  expect(google.idToken!.accepts!({ iss: 'accounts.google.com' }, issuer)).toBe(false)
})

test('booleans that are written as text count, and nothing else does', () => {
  const verified = (email_verified: unknown) =>
    profileOfClaims({ sub: 's', email: 'a@example.com', email_verified }, google.idToken!, 'i').emailVerified
  expect([true, 'true'].map(verified)).toEqual([true, true])
  expect([false, 'false', undefined, null, {}, [], 'yes'].map(verified)).not.toContain(true)
})
