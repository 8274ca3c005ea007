import { describe, expect, it } from 'vitest'
import { createConcurrencyLimit } from './concurrency-limit.ts'
import { Profile } from './profile.ts'

const options = {
  limitInitial: 20,
  limitMin: 2,
  limitMax: 100,
  latencyFactor: 1.5,
  latencySlackMs: 5,
  windowMs: 100,
  probeMs: 30_000,
}

function setUp() {
  const limit = createConcurrencyLimit(options)
  const profile = new Profile()
  let nowMs = 0
  limit.decide(nowMs)
  /** A window in which so many ran at once and each took so long. */
  const window = (inFlight: number, latencyMs: number, kind = profile): number => {
    limit.began(inFlight)
    if (inFlight >= limit.value) limit.missed()
    for (let count = 0; count < 100; count += 1) limit.answered(kind, latencyMs, limit.generation)
    limit.decide((nowMs += 100))
    return limit.value
  }
  return { limit, window, profile }
}

describe('the limit', () => {
  it('grows while latency stays what it is, and not past what it may', () => {
    const { window } = setUp()
    for (let count = 0; count < 5; count += 1) window(5, 20)
    const grown = [1, 2, 3, 4, 5, 6].map(() => window(1000, 20))
    expect(grown[0]).toBeGreaterThan(20)
    expect(grown.at(-1)).toBe(100)
  })

  it('does not grow before as many have answered as may run at once', () => {
    const { limit } = setUp()
    const quick = new Profile()
    const values: number[] = []
    for (let nowMs = 100; nowMs <= 1000; nowMs += 100) {
      limit.missed()
      for (let count = 0; count < 10; count += 1) limit.answered(quick, 5, limit.generation)
      limit.decide(nowMs)
      values.push(limit.value)
    }
    expect(values[0]).toBe(20)
    expect(values.at(-1)).toBeGreaterThan(40)
  })

  it('shrinks when latency grows with load, and not below what it may', () => {
    const { window } = setUp()
    for (let count = 0; count < 5; count += 1) window(5, 20)
    expect(window(20, 100)).toBe(10)
    for (let count = 0; count < 5; count += 1) window(100, 1000)
    expect(window(100, 1000)).toBe(2)
  })

  it('comes back where shrinking has only cost throughput, and not where it has not', () => {
    const shrinkTo = (leftAfter: number): number => {
      const { limit, window, profile } = setUp()
      for (let count = 0; count < 5; count += 1) window(5, 20)
      for (let count = 0; count < 100; count += 1) limit.left(20)
      expect(window(20, 100)).toBe(10)
      limit.left(10)
      limit.decide(700)
      for (let count = 0; count < leftAfter; count += 1) limit.left(9)
      limit.missed()
      for (let count = 0; count < 20; count += 1) limit.answered(profile, 20, limit.generation)
      limit.decide(800)
      return Math.round(limit.value)
    }
    expect([shrinkTo(50), shrinkTo(100)]).toEqual([20, 15])
  })

  it('goes back to twice what is needed when it is not used', () => {
    const { window } = setUp()
    for (let count = 0; count < 6; count += 1) window(1000, 20)
    for (let count = 0; count < 100; count += 1) window(15, 20)
    expect(Math.round(window(15, 20))).toBe(30)
  })

  it('does not take another mixture of requests for congestion', () => {
    const { window } = setUp()
    const slow = new Profile()
    for (let count = 0; count < 5; count += 1) {
      window(5, 2)
      window(5, 200, slow)
    }
    expect(window(1000, 200, slow)).toBeGreaterThan(20)
  })

  it('shrinks when what is behind cannot, however fast it says so', () => {
    const { limit, window } = setUp()
    for (let count = 0; count < 5; count += 1) window(5, 20)
    limit.missed()
    for (let count = 0; count < 20; count += 1) limit.failed()
    limit.decide(600)
    expect(Math.round(limit.value)).toBe(14)
  })

  it('measures with half of it now and then, while the most important keep theirs', () => {
    const { limit, window } = setUp()
    const measured = Array.from({ length: 30 }, () => {
      window(1000, 20)
      return limit.measuring / limit.value
    })
    expect(measured).toContain(0.5)
    expect(measured.filter((share) => share < 1).length).toBeLessThan(5)
  })
})
