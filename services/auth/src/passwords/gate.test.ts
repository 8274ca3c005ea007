import { describe, expect, test } from 'vitest'
import { createGate } from './gate.ts'

/** A gate whose tasks take as long as the test says, on a clock that only the test moves. */
function start({ widthMax, isBusy = false }: { widthMax: number; isBusy?: boolean }) {
  const state = { nowMs: 0, isBusy }
  const rests: { ms: number; end: () => void }[] = []
  const running: (() => void)[] = []
  const gate = createGate({
    widthMax,
    isBusy: () => state.isBusy,
    now: () => state.nowMs,
    rest: (ms) => new Promise((end) => rests.push({ ms, end })),
  })
  const offer = (count: number) =>
    Array.from({ length: count }, () => gate.run(() => new Promise<void>((end) => running.push(end))))
  const finishOne = async (tookMs: number): Promise<void> => {
    state.nowMs += tookMs
    running.shift()!()
    await settle()
  }
  return { gate, state, rests, running, offer, finishOne }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('while this process is idle', () => {
  test('as many tasks run as there are places, and the next begins when one ends', async () => {
    const { offer, running, rests, finishOne } = start({ widthMax: 4 })
    offer(6)
    await settle()
    expect(running).toHaveLength(4)
    await finishOne(20)
    expect(running).toHaveLength(4)
    await finishOne(20)
    await finishOne(20)
    expect(running).toHaveLength(3)
    expect(rests).toEqual([])
  })

  test('a task that fails gives its place away', async () => {
    const { gate, offer, running } = start({ widthMax: 1 })
    const failed = gate.run(() => Promise.reject(new Error('no memory')))
    offer(1)
    await expect(failed).rejects.toThrow('no memory')
    await settle()
    expect(running).toHaveLength(1)
  })
})

describe('while this process is busy', () => {
  test('two cores belong to requests, and tasks have the others', async () => {
    const { offer, running, rests, finishOne } = start({ widthMax: 8, isBusy: true })
    offer(10)
    await settle()
    expect(running).toHaveLength(6)
    await finishOne(20)
    expect(running).toHaveLength(6)
    expect(rests).toEqual([])
  })

  test('on two cores one task runs, whoever gave it has the answer at once, and the next one waits for a rest', async () => {
    const { offer, running, rests, finishOne } = start({ widthMax: 2, isBusy: true })
    const [first] = offer(3)
    await settle()
    expect(running).toHaveLength(1)
    await finishOne(15)
    await first
    expect(running).toEqual([])
    // 15 ms are 15 % of 100.
    expect(rests.map(({ ms }) => Math.round(ms))).toEqual([85])
    rests[0]!.end()
    await settle()
    expect(running).toHaveLength(1)
  })

  test('places come back when it is idle again', async () => {
    const { offer, running, state, finishOne } = start({ widthMax: 2, isBusy: true })
    offer(4)
    await settle()
    state.isBusy = false
    await finishOne(15)
    expect(running).toHaveLength(2)
  })
})

test('says how long the next task would wait, by what tasks take and how many wait', async () => {
  const { gate, offer, running, finishOne } = start({ widthMax: 2 })
  expect(gate.waitMs()).toBe(0)
  offer(40)
  await settle()
  expect(gate.waitMs()).toBe(0)
  for (let count = 0; count < 30; count += 1) await finishOne(20)
  expect(running).toHaveLength(2)
  // Each took 20 ms from the other's end, 40 ms in its place; eight wait for two places.
  expect(gate.waitMs()).toBeGreaterThan(150)
  expect(gate.waitMs()).toBeLessThanOrEqual(160)
})
