import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLocalRateStore } from './local-rate-store.ts'
import { rateHeaders } from './rate-headers.ts'

function setUp(bucketsMax = 100) {
  let nowMs = 0
  const clock = { now: () => nowMs, monotonic: () => nowMs }
  return { store: createLocalRateStore({ clock, bucketsMax }), pass: (ms: number) => void (nowMs += ms) }
}

const tenASecond = { name: 'test', quota: 10, windowMs: 1000 }

describe('a bucket', () => {
  it('can be emptied at once, and fills evenly', () => {
    const { store, pass } = setUp()
    for (let left = 9; left >= 0; left -= 1)
      expect(store.take('a', 1, tenASecond)).toMatchObject({ isTaken: true, remaining: left })
    expect(store.take('a', 1, tenASecond)).toEqual({ isTaken: false, remaining: 0, resetMs: 1000, retryMs: 100 })
    pass(99)
    expect(store.take('a', 1, tenASecond)).toMatchObject({ isTaken: false, retryMs: 1 })
    pass(1)
    expect(store.take('a', 1, tenASecond)).toMatchObject({ isTaken: true, remaining: 0 })
    expect(store.take('b', 1, tenASecond)).toMatchObject({ isTaken: true, remaining: 9 })
  })

  it('never gives more than its quota and what came back since', () => {
    const steps = fc.array(fc.record({ pauseMs: fc.nat(400), cost: fc.integer({ min: 1, max: 3 }) }), {
      maxLength: 200,
    })
    fc.assert(
      fc.property(steps, fc.integer({ min: 3, max: 50 }), (all, quota) => {
        const { store, pass } = setUp()
        let [taken, passedMs] = [0, 0]
        for (const { pauseMs, cost } of all) {
          pass(pauseMs)
          passedMs += pauseMs
          if (store.take('a', cost, { name: 'test', quota, windowMs: 1000 }).isTaken) taken += cost
          expect(taken).toBeLessThanOrEqual(quota + (passedMs * quota) / 1000 + 1e-3)
        }
      }),
    )
  })

  it('gives the token at the moment that it named', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 100, max: 100_000 }), (quota, windowMs) => {
        const { store, pass } = setUp()
        const policy = { name: 'test', quota, windowMs }
        for (let count = 0; count < quota; count += 1) expect(store.take('a', 1, policy).isTaken).toBe(true)
        const { isTaken, retryMs } = store.take('a', 1, policy)
        expect(isTaken).toBe(false)
        pass(retryMs)
        expect(store.take('a', 1, policy).isTaken).toBe(true)
      }),
    )
  })

  it('is forgotten when there are too many, full ones first', () => {
    const { store, pass } = setUp(3)
    for (const key of ['a', 'b', 'c']) store.take(key, 10, tenASecond)
    store.take('d', 1, tenASecond)
    expect(store.size).toBe(3)
    expect(store.take('c', 1, tenASecond).isTaken).toBe(false)
    pass(1000)
    store.take('e', 1, tenASecond)
    expect(store.size).toBe(1)
  })
})

it('the fields are those of the draft, and the nearest limit is the one to come back for', () => {
  const { store } = setUp()
  const perUser = { name: 'user', quota: 2, windowMs: 60_000 }
  const decisions = [tenASecond, perUser].map((policy) => ({ policy, decision: store.take('a', 1, policy) }))
  expect(rateHeaders(decisions)).toEqual({
    'ratelimit-policy': '"test";q=10;w=1, "user";q=2;w=60',
    ratelimit: '"test";r=9;t=1, "user";r=1;t=30',
  })
  store.take('a', 1, perUser)
  const refused = [{ policy: perUser, decision: store.take('a', 1, perUser) }]
  expect(rateHeaders(refused)).toEqual({
    'ratelimit-policy': '"user";q=2;w=60',
    ratelimit: '"user";r=0;t=60',
    'retry-after': '30',
  })
})
