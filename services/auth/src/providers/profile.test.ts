import fc from 'fast-check'
import { expect, test } from 'vitest'
import { catalogue } from './catalogue.ts'
import { type Profile, toProfile } from './profile.ts'

const told = { issuer: 'https://id.example', emails: [] }

test('the primary address counts, in canonical form', () => {
  const { email, emailVerified } = toProfile({
    ...told,
    subject: 1,
    emails: [
      { address: 'first@example.com', verified: true },
      { address: 'Ada@EXAMPLE.com', verified: true, primary: true },
      { address: 'last@example.com', verified: false },
    ],
  })
  expect([email, emailVerified]).toEqual(['ada@example.com', true])
})

test('an address that is none does not count, so that its verification does not pass to another', () => {
  const emails = [
    { address: 'victim@example.com', verified: false },
    { address: 'no address', verified: true, primary: true },
  ]
  expect(toProfile({ ...told, subject: 1, emails })).toMatchObject({
    email: 'victim@example.com',
    emailVerified: false,
  })
})

test.each([undefined, null, '', {}, [], Number.NaN, 1.5, 2 ** 60, 'x'.repeat(256), 'a\u0000b'])(
  'the subject %j is nobody',
  (subject) => {
    expect(() => toProfile({ ...told, subject })).toThrow('names nobody')
  },
)

test('whatever a provider answers is a profile that Postgres can store, or an error', () => {
  const apis = Object.values(catalogue).flatMap(({ api }) => (api === undefined ? [] : [api]))
  fc.assert(
    fc.property(fc.constantFrom(...apis), fc.jsonValue(), fc.jsonValue(), (api, first, second) => {
      expect(textOf(() => api.toProfile([first, second], 'https://id.example'))).not.toMatch(/\\u0000|\\ud[89a-f]/i)
    }),
    { numRuns: 2000 },
  )
})

/** What would be stored, or `nobody`; anything else that is thrown passes. */
function textOf(read: () => Profile): string {
  try {
    return JSON.stringify(read().facts)
  } catch (error) {
    if (error instanceof Error && error.message.includes('names nobody')) return 'nobody'
    throw error
  }
}
