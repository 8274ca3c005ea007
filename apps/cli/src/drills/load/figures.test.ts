import { describe, expect, it } from 'vitest'

import { quantile, secondsUntilNormal, shareAnswered, toFigures, toHistogram, toPercent, toSeconds } from './figures.ts'
import type { Sent } from './open-loop.ts'

const sent = (dueMs: number, latencyMs: number, outcome: Sent['outcome'] = 'answered'): Sent => ({
  kind: 'read',
  dueMs,
  lateMs: 0,
  latencyMs,
  outcome,
})

/** A request each 10 ms for so long. */
const steady = (seconds: number, become: (dueMs: number) => Sent = (dueMs) => sent(dueMs, 5)): Sent[] =>
  Array.from({ length: seconds * 100 }, (_, at) => become(at * 10))

describe('the figures of a load', () => {
  it('takes of a phase what was due in it, and latency from what was answered alone', () => {
    const all = [sent(0, 1), sent(1000, 10), sent(1500, 30), sent(1600, 900, 'refused'), sent(1700, 0, 'failed')]
    expect(toFigures(all, { name: 'spike', fromMs: 1000, toMs: 3000 })).toEqual({
      name: 'spike',
      seconds: 2,
      offeredPerSecond: 2,
      answeredPerSecond: 1,
      refused: 1,
      failed: 1,
      p50Ms: 10,
      p99Ms: 30,
      maxMs: 30,
    })
  })

  it('has the usual quantiles, of little and of nothing too', () => {
    const numbers = Array.from({ length: 100 }, (_, at) => at + 1)
    expect([0, 0.5, 0.99, 1].map((q) => quantile(numbers, q))).toEqual([1, 50, 99, 100])
    expect([quantile([7], 0.99), quantile([], 0.99)]).toEqual([7, 0])
  })

  it('never rounds a share up to all', () => {
    expect([shareAnswered([]), toPercent(1), toPercent(0.9999999)]).toEqual([1, 100, 99.999])
  })

  it('has a place for each second, also for one in which nothing was due', () => {
    expect(toSeconds([sent(100, 4), sent(200, 8), sent(2500, 1, 'failed')])).toEqual([
      { answered: 2, p99Ms: 8 },
      { answered: 0, p99Ms: 0 },
      { answered: 0, p99Ms: 0 },
    ])
  })

  it('counts each answer once in the histogram', () => {
    const counts = toHistogram([sent(0, 0.3), sent(0, 1), sent(0, 1.1), sent(0, 60_000), sent(0, 1, 'refused')])
    expect(counts.filter(({ count }) => count > 0)).toEqual([
      { maxMs: 1, count: 2 },
      { maxMs: 2, count: 1 },
      { maxMs: null, count: 1 },
    ])
  })
})

describe('secondsUntilNormal', () => {
  const at = (fromMs: number, all: readonly Sent[]) => secondsUntilNormal(all, { fromMs, usualMs: 20 })

  it('is nothing where all is well, and an odd request changes nothing', () => {
    expect(at(0, steady(3))).toBe(0)
    expect(
      at(
        0,
        steady(3, (dueMs) => sent(dueMs, dueMs === 1000 ? 900 : 5)),
      ),
    ).toBe(0)
  })

  it('ends with the last quarter of a second that was slow, refused or failed', () => {
    expect(
      at(
        0,
        steady(3, (dueMs) => sent(dueMs, dueMs < 600 ? 900 : 5)),
      ),
    ).toBe(0.75)
    expect(
      at(
        1000,
        steady(3, (dueMs) => sent(dueMs, 5, dueMs < 1400 ? 'refused' : 'answered')),
      ),
    ).toBe(0.5)
    expect(
      at(
        1000,
        steady(3, (dueMs) => sent(dueMs, 5, dueMs > 1500 && dueMs < 2000 ? 'failed' : 'answered')),
      ),
    ).toBe(1)
  })

  it('is unknown when it never ends, or nothing was asked', () => {
    expect(
      at(
        0,
        steady(3, (dueMs) => sent(dueMs, 900)),
      ),
    ).toBeUndefined()
    expect(at(0, [])).toBeUndefined()
  })
})
