import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { isVerifiedBy, toCodeChallenge } from './pkce.ts'

/** RFC 7636, appendix B. */
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

const toS256 = (text: string): string => createHash('sha256').update(text).digest('base64url')
const unreserved = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~'
const verifiers = fc.string({ unit: fc.constantFrom(...unreserved), minLength: 43, maxLength: 128 })

const read = (code_challenge?: string, code_challenge_method?: string) =>
  toCodeChallenge({ code_challenge, code_challenge_method })

test('an app that names neither wants its tokens in the fragment', () => {
  expect(read()).toBeUndefined()
  expect(read('', '')).toBeUndefined()
})

test('the method may be written in either case', () => {
  expect(read(challenge, 'S256')).toEqual({ challenge, method: 's256' })
  expect(read(challenge, 's256')).toEqual({ challenge, method: 's256' })
  expect(read(challenge, 'plain')).toEqual({ challenge, method: 'plain' })
})

test.each([
  ['a challenge without a method', challenge, undefined, /requires code_challenge_method and code_challenge/],
  ['a method without a challenge', undefined, 's256', /requires code_challenge_method and code_challenge/],
  ['a challenge that is too short', 'x'.repeat(42), 's256', /between 43 and 128/],
  ['a challenge that is too long', 'x'.repeat(129), 's256', /between 43 and 128/],
  ['a challenge with other characters', `${'x'.repeat(43)}=`, 's256', /between 43 and 128/],
  ['a challenge with a line behind it', `${challenge}\n`, 's256', /between 43 and 128/],
  ['an unknown method', challenge, 'sha512', /must be plain or s256/],
])('%s is refused', (_case, given, method, message) => {
  expect(() => read(given, method)).toThrow(message)
})

test("the RFC's own verifier belongs to its challenge", () => {
  expect(isVerifiedBy({ challenge, method: 's256' }, verifier)).toBe(true)
  expect(isVerifiedBy({ challenge: verifier, method: 'plain' }, verifier)).toBe(true)
})

test('a challenge is not its own verifier, unless the app said that it is', () => {
  expect(isVerifiedBy({ challenge, method: 's256' }, challenge)).toBe(false)
  expect(isVerifiedBy({ challenge, method: 'plain' }, verifier)).toBe(false)
})

test('of all verifiers only the one that made the challenge belongs to it', () => {
  fc.assert(
    fc.property(verifiers, verifiers, (one, other) => {
      expect(isVerifiedBy({ challenge: toS256(one), method: 's256' }, one)).toBe(true)
      expect(isVerifiedBy({ challenge: toS256(one), method: 's256' }, other)).toBe(one === other)
      expect(isVerifiedBy({ challenge: one, method: 'plain' }, other)).toBe(one === other)
    }),
  )
})

test('a verifier may be any text without the comparison failing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('s256' as const, 'plain' as const), (text, method) => {
      expect(isVerifiedBy({ challenge, method }, text)).toBe(false)
    }),
  )
})
