import { expect, it } from 'vitest'
import { createStallMeter } from './stalls.ts'

it('what a process is later than it wanted to be adds up, and small accidents do not', () => {
  let nowMs = 0
  const meter = createStallMeter({ monotonic: () => nowMs })
  const looks = [10, 24, 34, 344, 354, 464].map((atMs) => {
    nowMs = atMs
    meter.look()
    return meter.totalMs()
  })
  expect(looks).toEqual([0, 0, 0, 300, 300, 400])
})
