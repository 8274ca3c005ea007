import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { IdentityJson, UserRow } from '../store/users.ts'
import { type Admission, type Arrival, decideAdmission } from './admission.ts'

const address = 'ada@example.com'

/** As much of an account as the decision looks at. */
function account({ confirmed, verified }: { confirmed: boolean; verified: boolean }, email: string | null = address) {
  const identity = { provider: 'email', email, identity_data: { email, email_verified: verified } }
  return {
    email,
    email_confirmed_at: confirmed ? new Date(0) : null,
    confirmation_sent_at: null,
    identities: [identity as unknown as IdentityJson],
  } as unknown as UserRow
}

const proven = account({ confirmed: true, verified: true })
const waiting = account({ confirmed: false, verified: false })
/** Where sign-ups are not confirmed. */
const claimed = account({ confirmed: true, verified: false })
const without = account({ confirmed: false, verified: false }, null)

const rules = { signupEnabled: true, emailConfirmations: true }
const told = { email: address, emailVerified: true }
const claims = { email: address, emailVerified: false }

const arrival = (given: Partial<Arrival>): Arrival => ({
  profile: told,
  owner: undefined,
  holder: undefined,
  emailOptional: false,
  ...given,
})

describe('somebody new', () => {
  test.each<[string, Partial<Arrival>, Admission]>([
    ['with a verified address gets an account', {}, 'create'],
    ['with a verified address that somebody proved is that somebody', { holder: proven }, 'link'],
    ['with a verified address that waits for its proof takes the account over', { holder: waiting }, 'take-over'],
    ['with a verified address that was only claimed takes the account over', { holder: claimed }, 'take-over'],
    ['with an unverified address confirms it first', { profile: claims }, 'create-and-confirm'],
    ['with somebody’s address, unverified, is refused', { profile: claims, holder: proven }, 'refuse-unverified'],
    ['with a claimed address, unverified, is refused', { profile: claims, holder: claimed }, 'refuse-unverified'],
    ['without an address is refused', { profile: { emailVerified: false } }, 'refuse-without-email'],
  ])('%s', (_name, given, expected) => {
    expect(decideAdmission(arrival(given), rules)).toBe(expected)
  })

  test('needs no address where that is optional, and takes nobody’s', () => {
    const optional = { emailOptional: true }
    expect(decideAdmission(arrival({ ...optional, profile: { emailVerified: false } }), rules)).toBe('create-bare')
    expect(decideAdmission(arrival({ ...optional, profile: claims, holder: proven }), rules)).toBe('create-bare')
  })

  test('gets an account with the address as told where sign-ups are not confirmed', () => {
    const trusting = { ...rules, emailConfirmations: false }
    expect(decideAdmission(arrival({ profile: claims }), trusting)).toBe('create-unproven')
    expect(decideAdmission(arrival({ profile: claims, holder: claimed }), trusting)).toBe('refuse-unverified')
  })

  test('gets none while sign-ups are off, and does not learn whose address it is', () => {
    const closed = { ...rules, signupEnabled: false }
    for (const holder of [undefined, proven, waiting, claimed])
      expect(decideAdmission(arrival({ profile: claims, holder }), closed)).toBe('refuse-new')
    expect(decideAdmission(arrival({}), closed)).toBe('refuse-new')
    expect(decideAdmission(arrival({ holder: proven }), closed)).toBe('link')
  })
})

describe('the owner of the identity', () => {
  test.each<[string, Partial<Arrival>, Admission]>([
    ['comes back, whatever address the provider tells', { owner: proven, profile: { emailVerified: false } }, 'return'],
    ['comes back without an address', { owner: without }, 'return'],
    ['who shows the address of the account owns it alone', { owner: waiting }, 'own'],
    ['who still has to confirm is asked again', { owner: waiting, profile: claims }, 'confirm'],
    [
      'with another verified address has not shown that of the account',
      { owner: waiting, profile: { email: 'b@example.com', emailVerified: true } },
      'confirm',
    ],
    ['of a claimed address comes back', { owner: claimed, profile: claims }, 'return'],
  ])('%s', (_name, given, expected) => {
    expect(decideAdmission(arrival(given), rules)).toBe(expected)
  })
})

test('an unverified address never opens or changes an account of somebody else', () => {
  const user = fc.constantFrom(undefined, proven, waiting, claimed)
  fc.assert(
    fc.property(
      user,
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      (holder, emailOptional, signupEnabled, emailConfirmations) => {
        const decided = decideAdmission(arrival({ profile: claims, holder, emailOptional }), {
          signupEnabled,
          emailConfirmations,
        })
        expect(['link', 'take-over', 'own', 'return']).not.toContain(decided)
      },
    ),
  )
})
