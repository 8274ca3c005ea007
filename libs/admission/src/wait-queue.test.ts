import { describe, expect, it } from 'vitest'
import { createFairShares } from './fair-shares.ts'
import { Kind } from './kind.ts'
import { type MissReason, Visit } from './visit.ts'
import { createWaitQueue } from './wait-queue.ts'

function setUp({ queueMax = 100, placesPerMs = Number.POSITIVE_INFINITY } = {}) {
  let perMs = placesPerMs
  const queue = createWaitQueue(
    { queueMax, waitMs: 500, standingWaitMs: 10 },
    { shares: createFairShares(1000), roomFor: (ms) => ms * perMs },
  )
  const told: Record<string, MissReason | undefined> = {}
  const gone = new Set<string>()
  const names = new WeakMap<Visit, string>()
  const push = (name: string, atMs: number, { caller = name, deadlineMs = 1e9 } = {}): void => {
    const visit = new Visit(2, new Kind())
    visit.wait = { caller, deadlineMs, isGone: () => gone.has(name), settle: (missed) => void (told[name] = missed) }
    names.set(visit, name)
    queue.push(visit, atMs)
  }
  const take = (atMs: number): string | undefined => {
    const visit = queue.take(atMs, () => true)
    return visit && names.get(visit)
  }
  return { queue, told, gone, push, take, becomes: (nextPerMs: number) => void (perMs = nextPerMs) }
}

describe('a queue', () => {
  it('serves who came first, while it can be worked off', () => {
    const { push, take } = setUp()
    for (const name of ['a', 'b', 'c']) push(name, 0)
    expect([take(100), take(150), take(199), take(199)]).toEqual(['a', 'b', 'c', undefined])
  })

  it('that stands serves who came last, and tells those who have waited longer than they would', () => {
    const { queue, push, take, told, becomes } = setUp()
    for (let atMs = 0; atMs <= 200; atMs += 50) push(`at ${atMs}`, atMs)
    expect(queue.stands(200)).toBe(false)
    // Five wait, and in a fifth of 500 ms not even two get a place.
    becomes(0.015)
    expect(take(205)).toBe('at 200')
    queue.dropLate(206)
    expect(told).toEqual({ 'at 0': 'late', 'at 50': 'late', 'at 100': 'late', 'at 150': 'late' })
    // A second in which all were put out, and one in which nobody was.
    expect([queue.size, queue.stands(1206), queue.stands(2206), queue.stands(2207)]).toEqual([0, true, true, false])
  })

  it('that has not been empty for long must be shorter', () => {
    const { queue, push } = setUp({ placesPerMs: 0.05 })
    for (const name of ['a', 'b', 'c']) push(name, 0)
    expect([queue.stands(100), queue.stands(101)]).toEqual([false, true])
  })

  it('of those who each wait for the last answer does not stand, however long they go on', () => {
    const { queue, push, take, told } = setUp({ placesPerMs: 0.6 })
    for (let client = 0; client < 13; client += 1) push(`client ${client}`, 0)
    for (let atMs = 0; atMs < 60_000; atMs += 2) push(take(atMs)!, atMs)
    expect([queue.stands(60_000), told]).toEqual([false, {}])
  })

  it('passes over those whose time is over and those who hung up', () => {
    const { push, take, told, gone } = setUp()
    push('short', 0, { deadlineMs: 50 })
    push('gone', 0)
    push('here', 0)
    gone.add('gone')
    expect(take(50)).toBe('here')
    expect(told).toEqual({ short: 'late', gone: 'late' })
  })

  it('holds no more than it may, and no more than can be served in time', () => {
    const { push, told } = setUp({ queueMax: 2 })
    for (const name of ['a', 'b', 'c']) push(name, 0)
    expect(told).toEqual({ c: 'full' })
    const other = setUp({ placesPerMs: 0.2 })
    for (let count = 0; count < 21; count += 1) other.push(`${count}`, 0)
    expect([other.told, other.queue.size]).toEqual([{ 0: 'full' }, 20])
  })

  it('puts out one of whoever has most in it, and serves whoever had least', () => {
    const { push, take, told } = setUp({ queueMax: 3 })
    for (const name of ['hog 1', 'hog 2', 'hog 3']) push(name, 0, { caller: 'hog' })
    push('other', 1)
    expect(told).toEqual({ 'hog 3': 'full' })
    expect(take(2)).toBe('hog 1')
    push('hog 4', 3, { caller: 'hog' })
    push('another', 3)
    expect(told).toEqual({ 'hog 3': 'full', 'hog 4': 'full' })
    expect([take(4), take(4), take(4)]).toEqual(['other', 'another', 'hog 2'])
  })
})
