import type { Claims } from '@pando/core/caller'
import { beyondEveryLsn } from '@pando/postgres/lsn'
import { expect, test } from 'vitest'
import { toConsistency, withCommit } from './consistency.ts'

const nowMs = 1_800_000_000_000
const deps = { clock: { now: () => nowMs, monotonic: () => 0 }, lagMsMax: 10_000 }
const secondsAgo = (seconds: number): number => nowMs / 1_000 - seconds

const of = (claims: Claims, shown?: string) =>
  toConsistency(deps, { role: 'authenticated', claims, claimsJson: '' }, shown)

test('a person is the same with every token; who is none is the role', () => {
  expect(of({ sub: 'anna', iat: secondsAgo(60) })).toEqual({ caller: 'anna', atLeast: undefined })
  expect(of({})).toEqual({ caller: 'role authenticated', atLeast: undefined })
})

test.each([
  ['0/10', 16n],
  ['newest', beyondEveryLsn],
  ['', beyondEveryLsn],
  ['0/10, 0/20', beyondEveryLsn],
])('who shows %j needs %s', (shown, atLeast) => expect(of({}, shown).atLeast).toBe(atLeast))

test.each([
  [0, beyondEveryLsn],
  [9, beyondEveryLsn],
  [11, undefined],
])('with a token that is %d seconds old nothing less than the newest may do', (age, atLeast) =>
  expect(of({ sub: 'anna', iat: secondsAgo(age) }).atLeast).toBe(atLeast),
)

test('an answer tells where the write is that it answers', () => {
  const answer = { status: 201, headers: { Location: '/notes?id=eq.1' } }
  expect(withCommit(answer, { caller: 'anna', committed: 4_294_967_551n })).toEqual({
    status: 201,
    headers: { Location: '/notes?id=eq.1', 'Pando-Commit': '1/FF' },
  })
  expect(withCommit(answer, { caller: 'anna' })).toBe(answer)
  expect(withCommit(answer, undefined)).toBe(answer)
})
