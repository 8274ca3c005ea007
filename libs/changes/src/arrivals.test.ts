import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createArrivals } from './arrivals.ts'
import { toCursor } from './cursor.ts'
import type { ChangesObservation } from './observation.ts'
import type { ReaderState } from './reader.ts'

let state: ReaderState
let lsn: bigint
let heard: string[]
let observed: ChangesObservation[]
beforeEach(() => {
  vi.useFakeTimers()
  state = 'following'
  lsn = 10n
  heard = []
  observed = []
})
afterEach(() => {
  vi.useRealTimers()
})

const create = () =>
  createArrivals({
    state: () => state,
    latest: () => toCursor(lsn, 0),
    aheadMs: 3_000,
    observe: (observation) => observed.push(observation),
  })
const note = (name: string) => (): void => void heard.push(name)
const place = (at: bigint): string => toCursor(at, 1)

test('who waits for a place that is there goes on at once', () => {
  const { wait } = create()
  wait(undefined, note('anywhere'))
  wait(place(9n), note('before'))
  expect(heard).toEqual(['anywhere', 'before'])
})

test('who comes from a node that has read further goes on when this one has, too, and once', () => {
  const { wait, look } = create()
  wait(place(20n), note('far'))
  wait(place(11n), note('near'))
  lsn = 12n
  look()
  expect(heard).toEqual(['near'])
  lsn = 21n
  look()
  look()
  vi.advanceTimersByTime(10_000)
  expect(heard).toEqual(['near', 'far'])
})

test('a place that does not come is not waited for any longer', () => {
  const { wait } = create()
  wait(place(20n), note('far'))
  vi.advanceTimersByTime(2_999)
  expect(heard).toEqual([])
  vi.advanceTimersByTime(1)
  expect(heard).toEqual(['far'])
})

test('while nobody reads all wait, and the time does not count', () => {
  const { wait, look } = create()
  state = 'starting'
  wait(undefined, note('anywhere'))
  wait(place(20n), note('far'))
  vi.advanceTimersByTime(60_000)
  lsn = 15n
  look()
  expect(heard).toEqual([])
  state = 'following'
  look()
  expect(heard).toEqual(['anywhere'])
  state = 'standby'
  vi.advanceTimersByTime(60_000)
  expect(heard).toEqual(['anywhere'])
  state = 'following'
  look()
  expect(heard).toEqual(['anywhere', 'far'])
})

test('who reads has read to the end: a later place is none of this log', () => {
  state = 'reading'
  create().wait(place(20n), note('far'))
  expect(heard).toEqual(['far'])
})

test('who is gone is not called, and one that throws harms nobody else', () => {
  const { wait, look } = create()
  const end = wait(place(11n), note('gone'))
  wait(place(11n), () => {
    throw new Error('careless')
  })
  wait(place(11n), note('there'))
  end()
  lsn = 12n
  look()
  vi.advanceTimersByTime(10_000)
  expect(heard).toEqual(['there'])
  expect(observed).toMatchObject([{ kind: 'listener.failed' }])
})
