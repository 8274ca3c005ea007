import { expect, it } from 'vitest'
import { createLoadMeter, toShare } from './pressure.ts'

const limits = { loopLagMaxMs: 50, memoryShareMax: 0.8 }

it.each([
  [0, 0.1, 1],
  [50, 0.8, 1],
  [100, 0.1, 0.5],
  [10_000, 0.1, 0.1],
  [0, 0.9, 0.5],
  [0, 1.2, 0.1],
  [100, 0.95, 0.25],
])('a loop that is %i ms late and memory that is used by %d leave %d of the limit', (loopLagMs, memoryShare, share) => {
  expect(toShare({ loopLagMs, memoryShare }, limits)).toBeCloseTo(share)
})

it('this process is measured', () => {
  const meter = createLoadMeter()
  const { loopLagMs, memoryShare } = meter.read()
  meter.stop()
  expect(loopLagMs).toBeGreaterThanOrEqual(0)
  expect(memoryShare).toBeGreaterThan(0)
  expect(memoryShare).toBeLessThan(1)
})
