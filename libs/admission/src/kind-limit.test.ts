import { describe, expect, it } from 'vitest'
import { KindLimit } from './kind-limit.ts'

function setUp() {
  const limit = new KindLimit()
  let nowMs = 0
  /** So many are inside at once, again and again, and each takes so many times what is usual. */
  const round = (inside: number, ratio: number, tolerated = 1.5): number => {
    for (let begun = 0; begun < inside; begun += 1) limit.began()
    const enteredAtMs = nowMs
    nowMs += 100
    for (let told = 0; told < 100; told += 1)
      limit.answered(Math.log(ratio), { enteredAtMs, nowMs, tolerated, most: 100, limitMin: 2 })
    for (let left = 0; left < inside; left += 1) limit.left()
    return limit.value
  }
  return { limit, round }
}
const free = Number.POSITIVE_INFINITY

describe('the limit of a kind', () => {
  it('is none while they take about as long as others do, each by its own measure', () => {
    const { round } = setUp()
    expect(round(40, 1)).toBe(free)
    expect(round(40, 1.9)).toBe(free)
    expect(round(40, 4, 4)).toBe(free)
  })

  it('shrinks to as many as take no longer than others, where that is their own doing', () => {
    const { limit, round } = setUp()
    // Eight are served at once, the others of the kind stand before them.
    const served = 8
    for (let count = 0; count < 20; count += 1) {
      const inside = Math.min(40, Math.floor(limit.value))
      round(inside, Math.max(1, inside / served))
    }
    expect(limit.value).toBeGreaterThanOrEqual(served)
    expect(limit.value).toBeLessThanOrEqual(2 * served)
  })

  it('is none again for a while where it has not helped', () => {
    const { round } = setUp()
    expect(round(40, 3)).toBeCloseTo(20)
    expect(round(20, 3)).toBe(free)
    expect(round(40, 3)).toBe(free)
    const later = Array.from({ length: 40 }, () => round(40, 3))
    expect(later.filter((value) => value < free).length).toBeGreaterThan(0)
    expect(later.filter((value) => value < free).length).toBeLessThan(5)
  })

  it('grows as soon as it is not needed, and is none when it is above that of all', () => {
    const { round } = setUp()
    expect(round(80, 3)).toBeCloseTo(40)
    expect(round(10, 1)).toBeCloseTo(60)
    expect(round(10, 1)).toBeCloseTo(90)
    expect(round(10, 1)).toBe(free)
  })

  it('is not below what it may', () => {
    const { round } = setUp()
    expect(round(3, 100)).toBe(2)
  })
})
