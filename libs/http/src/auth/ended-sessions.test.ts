import { expect, test } from 'vitest'
import type { Caller } from '@pando/core/caller'
import { refuseEnded } from './ended-sessions.ts'

const callerOf = (claims: Caller['claims']): Caller => ({ role: 'authenticated', claims, claimsJson: '' })
const ended = {
  has: (id: string) => id === 'over',
  loweredAt: (id: string) => (id === 'low' ? 1000.5 : undefined),
}
const refusal = { status: 401, code: 'token.invalid', message: 'Session of the JWT has ended' }

test('whose session has ended is refused, whether the answer is there at once or comes later', async () => {
  const caller = callerOf({ session_id: 'over' })
  expect(() => refuseEnded(() => caller, ended)({})).toThrow(expect.objectContaining(refusal))
  await expect(refuseEnded(async () => caller, ended)({})).rejects.toMatchObject(refusal)
})

const proof = (method: string, timestamp: number) => ({ method, timestamp })
const high = { aal: 'aal2', amr: [proof('totp', 1000), proof('password', 900)] }

test('whose session has lost its second factor has proved none, for the claims and for Postgres', () => {
  const caller = callerOf({ session_id: 'low', sub: 'ada', ...high })
  const authenticate = refuseEnded(() => caller, ended)
  const expected = { session_id: 'low', sub: 'ada', aal: 'aal1', amr: [proof('password', 900)] }
  const lowered = authenticate({}) as Caller
  expect(lowered).toEqual({ role: 'authenticated', claims: expected, claimsJson: JSON.stringify(expected) })
  expect(authenticate({})).toBe(lowered)
})

test.each([['totp'], [null], [{ method: 'totp' }], 'totp', undefined])(
  'a token whose proofs have no time is taken for one of before: %j',
  (amr) => {
    const caller = callerOf({ session_id: 'low', aal: 'aal2', amr })
    expect((refuseEnded(() => caller, ended)({}) as Caller).claims['aal']).toBe('aal1')
  },
)

test.each([
  { session_id: 'on', ...high },
  { session_id: 'low', aal: 'aal1' },
  { session_id: 'low', aal: 'aal2', amr: [proof('totp', 1001)] },
  { session_id: 'on' },
  {},
  { session_id: 7 },
  { session_id: null },
])('everybody else goes on: %j', (claims) => {
  const caller = callerOf(claims)
  expect(refuseEnded(() => caller, ended)({})).toBe(caller)
})
