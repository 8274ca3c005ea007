import { expect, test } from 'vitest'
import type { Caller } from '@pando/core/caller'
import { refuseEnded } from './ended-sessions.ts'

const callerOf = (claims: Caller['claims']): Caller => ({ role: 'authenticated', claims, claimsJson: '' })
const ended = { has: (id: string) => id === 'over' }
const refusal = { status: 401, code: 'token.invalid', message: 'Session of the JWT has ended' }

test('whose session has ended is refused, whether the answer is there at once or comes later', async () => {
  const caller = callerOf({ session_id: 'over' })
  expect(() => refuseEnded(() => caller, ended)({})).toThrow(expect.objectContaining(refusal))
  await expect(refuseEnded(async () => caller, ended)({})).rejects.toMatchObject(refusal)
})

test.each([{ session_id: 'on' }, {}, { session_id: 7 }, { session_id: null }])(
  'everybody else goes on: %j',
  (claims) => {
    const caller = callerOf(claims)
    expect(refuseEnded(() => caller, ended)({})).toBe(caller)
  },
)
