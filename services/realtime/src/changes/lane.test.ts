import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLane, type Outcome } from './lane.ts'

function open(pendingMax = 10) {
  const told: unknown[] = []
  const state = { generation: 0 }
  const lane = createLane<number>({
    deliver: (item) => told.push(item),
    lose: (reason) => told.push(reason),
    generation: () => state.generation,
    pendingMax,
  })
  return { lane, told, state }
}

test('what is decided at once is told at once', () => {
  const { lane, told } = open()
  lane.push(() => [1, 2])
  expect(told).toEqual([1, 2])
})

test('the order is that of the changes, however long each takes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 8 }), fc.scheduler(), async (isSlow, scheduler) => {
      const { lane, told } = open()
      for (const [at, slow] of isSlow.entries()) {
        lane.push(() => (slow ? scheduler.schedule(Promise.resolve<Outcome<number>>([at])) : [at]))
      }
      const decided = async (): Promise<void> => {
        while (lane.pending() > 0) await Promise.resolve()
      }
      await scheduler.waitFor(decided())
      expect(told).toEqual(isSlow.map((_, at) => at))
    }),
  )
})

test('what waits is decided anew after something changed', async () => {
  const { lane, told, state } = open()
  const first = Promise.withResolvers<Outcome<number>>()
  let mayHear = true
  lane.push(() => (state.generation === 0 ? first.promise : []))
  lane.push(() => (mayHear ? [2] : []))
  mayHear = false
  state.generation += 1
  first.resolve([1])
  await first.promise
  await Promise.resolve()
  expect(told).toEqual([])
  expect(lane.pending()).toBe(0)
})

test('too many that wait are dropped, and the subscriber hears of it', () => {
  const { lane, told } = open(2)
  for (let round = 0; round < 3; round += 1) lane.push(() => new Promise(() => undefined))
  expect(told).toEqual(['too-many-pending'])
  lane.push(() => [7])
  expect(told).toEqual(['too-many-pending', 7])
})

test('what says nothing does not wait', () => {
  const { lane, told } = open(2)
  lane.push(() => new Promise(() => undefined))
  for (let round = 0; round < 9; round += 1) lane.push(() => [])
  expect([lane.pending(), told]).toEqual([1, []])
})

test('what cannot be found out drops what waits behind it', async () => {
  const { lane, told } = open()
  const outcome = Promise.withResolvers<Outcome<number>>()
  lane.push(() => outcome.promise)
  lane.push(() => [2])
  outcome.resolve(undefined)
  await outcome.promise
  await Promise.resolve()
  expect(told).toEqual(['check-failed'])
})

test('nothing is told after it is closed', async () => {
  const { lane, told } = open()
  const outcome = Promise.withResolvers<Outcome<number>>()
  lane.push(() => outcome.promise)
  lane.close()
  outcome.resolve([1])
  await outcome.promise
  lane.push(() => [2])
  expect(told).toEqual([])
})
