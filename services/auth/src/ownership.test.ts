import { expect, test } from 'vitest'
import { isProven } from './ownership.ts'
import type { UserRow } from './store/users.ts'

const email = 'ada@example.com'
const early = new Date('2026-01-01')
const late = new Date('2026-01-02')

type Facts = { confirmed: Date | null; sent: Date | null; mark?: boolean; other?: boolean }

const userWith = ({ confirmed, sent, mark, other }: Facts): UserRow =>
  ({
    email,
    phone: null,
    email_confirmed_at: confirmed,
    phone_confirmed_at: late,
    confirmation_sent_at: sent,
    identities: [
      { identity_data: { email, ...(mark === undefined ? {} : { email_verified: mark }) } },
      { identity_data: { email: 'other@example.com', ...(other === undefined ? {} : { email_verified: other }) } },
    ],
  }) as unknown as UserRow

test.each([
  ['never confirmed', { confirmed: null, sent: early, mark: true }, false],
  ['confirmed at a sign-up that asked nobody', { confirmed: late, sent: null, mark: false }, false],
  ['proven by a message', { confirmed: late, sent: early, mark: true }, true],
  ['brought along with an outdated mark', { confirmed: late, sent: early, mark: false }, true],
  ['brought along without marks', { confirmed: late, sent: null }, true],
  ['sent something only after it was confirmed', { confirmed: early, sent: late, mark: false }, false],
  ['proven for another address alone', { confirmed: late, sent: null, mark: false, other: true }, false],
  ['unproven for another address alone', { confirmed: late, sent: null, mark: true, other: false }, true],
] as const)('%s', (_name, facts, proven) => {
  expect(isProven(userWith(facts), 'email')).toBe(proven)
})

test('what the account does not have is not proven', () => {
  expect(isProven(userWith({ confirmed: late, sent: early, mark: true }), 'phone')).toBe(false)
})
