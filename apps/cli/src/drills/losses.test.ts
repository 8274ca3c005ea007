import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Heard } from './losses.ts'
import { findLosses } from './losses.ts'

const written = [1, 2, 3].map((id) => ({ id, ref: `note ${id}` }))
const acknowledged = new Set(['note 1', 'note 3'])
const heard = (got: readonly number[], more: Partial<Heard> = {}): Heard => ({ got, again: [], resyncs: [], ...more })

describe('findLosses', () => {
  it('finds none where all is there once; a write without an answer may be there or not', () => {
    expect(findLosses(acknowledged, written, [heard([1, 2, 3]), heard([3, 1, 2])])).toEqual({
      acknowledgedWrites: 2,
      lostWrites: 0,
      doubledWrites: 0,
      followers: 2,
      events: 6,
      missingEvents: 0,
      doubledEvents: 0,
      falseEvents: 0,
      toldToFetch: 0,
    })
  })

  it.each([
    ['a lost write', { lostWrites: 1 }, findLosses(acknowledged, written.slice(1), [])],
    ['a write done twice', { doubledWrites: 1 }, findLosses(acknowledged, [...written, { id: 4, ref: 'note 2' }], [])],
    ['a missing event', { missingEvents: 1, toldToFetch: 0 }, findLosses(acknowledged, written, [heard([1, 3])])],
    [
      'an event missing to somebody who was told to fetch, and did not find it',
      { missingEvents: 1, toldToFetch: 1 },
      findLosses(acknowledged, written, [heard([1, 3], { resyncs: ['too_old'] })]),
    ],
    ['an event told twice', { doubledEvents: 1 }, findLosses(acknowledged, written, [heard([1, 2, 3, 2])])],
    [
      'an event told again and known by its cursor',
      { doubledEvents: 1 },
      findLosses(acknowledged, written, [heard([1, 2, 3], { again: [2] })]),
    ],
    ['an event of nothing', { falseEvents: 1 }, findLosses(acknowledged, written, [heard([1, 2, 3, 9])])],
  ])('finds %s', (_name, expected, losses) => {
    expect(losses).toMatchObject(expected)
  })

  it('counts each loss that is planted, wherever it is', () => {
    const ids = fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(ids, fc.nat(), fc.nat(), (all, lost, missed) => {
        const rows = all.map((id) => ({ id, ref: `note ${id}` }))
        const refs = new Set(rows.map(({ ref }) => ref))
        const got = all.toSpliced(missed % all.length, 1)
        const losses = findLosses(refs, rows.toSpliced(lost % rows.length, 1), [])
        expect(losses.lostWrites).toBe(1)
        expect(findLosses(refs, rows, [heard(got), heard(all)]).missingEvents).toBe(1)
      }),
    )
  })
})
