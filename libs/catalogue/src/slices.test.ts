import { expect, test } from 'vitest'
import { runAtOnce, runInSlices } from './slices.ts'

function* count(to: number, onStep: () => void = () => undefined) {
  for (let at = 0; at < to; at++) {
    onStep()
    yield
  }
  return to
}

test('work gives the same result in slices and in one go', async () => {
  expect(runAtOnce(count(100))).toBe(100)
  expect(await runInSlices(count(100))).toBe(100)
})

test('the event loop turns whenever a slice is over', async () => {
  let now = 0
  const clock = { now: () => now, monotonic: () => now }
  let turns = 0
  let isOver = false
  const turn = () => {
    turns++
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await runInSlices(
    count(800, () => now++),
    clock,
  )
  isOver = true
  expect(turns).toBeGreaterThanOrEqual(90)
})
