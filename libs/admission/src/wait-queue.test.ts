import { describe, expect, it } from 'vitest'
import { createFairShares } from './fair-shares.ts'
import { Profile } from './profile.ts'
import { type MissReason, Visit } from './visit.ts'
import { createWaitQueue } from './wait-queue.ts'

const plenty = (_waitMs: number): number => Number.POSITIVE_INFINITY

function setUp({ queueMax = 100 } = {}) {
  const queue = createWaitQueue({ queueMax, waitMs: 200, standingWaitMs: 10 }, createFairShares(1000))
  const told: Record<string, MissReason | undefined> = {}
  const gone = new Set<string>()
  const names = new WeakMap<Visit, string>()
  const push = (name: string, atMs: number, { caller = name, deadlineMs = 1e9, roomFor = plenty } = {}): void => {
    const visit = new Visit(2, new Profile())
    visit.wait = { caller, deadlineMs, isGone: () => gone.has(name), settle: (missed) => void (told[name] = missed) }
    names.set(visit, name)
    queue.push(visit, atMs, roomFor)
  }
  const take = (atMs: number): string | undefined => {
    const visit = queue.take(atMs)
    return visit && names.get(visit)
  }
  return { queue, told, gone, push, take }
}

describe('a queue', () => {
  it('serves who came first, while it runs empty now and then', () => {
    const { push, take } = setUp()
    for (const name of ['a', 'b', 'c']) push(name, 0)
    expect([take(100), take(150), take(199), take(199)]).toEqual(['a', 'b', 'c', undefined])
  })

  it('that stands serves who came last, and tells those who have waited longer than they would', () => {
    const { queue, push, take, told } = setUp()
    for (let atMs = 0; atMs <= 200; atMs += 50) push(`at ${atMs}`, atMs)
    push('at 205', 205)
    expect([take(205), take(205)]).toEqual(['at 205', 'at 200'])
    queue.dropLate(206)
    expect(told).toEqual({ 'at 0': 'late', 'at 50': 'late', 'at 100': 'late', 'at 150': 'late' })
    expect([queue.size, queue.stands(1206), queue.stands(1207)]).toEqual([0, true, false])
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
    const other = setUp()
    for (const name of ['a', 'b', 'c']) other.push(name, 0, { roomFor: (waitMs) => waitMs / 100 })
    expect(other.told).toEqual({ c: 'full' })
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
