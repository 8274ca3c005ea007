import { expect, test } from 'vitest'
import { createEndedSet } from './ended-set.ts'

const ended = (...ids: number[]) => ids.map((at) => ({ id: `session ${at}`, endedAt: at, lowered: false }))

function setUp(sessionsMax = 10) {
  const forgotten: number[] = []
  const set = createEndedSet(sessionsMax, (count) => void forgotten.push(count))
  const known = (...ids: number[]) => ids.filter((at) => set.has(`session ${at}`))
  return { set, forgotten, known }
}

test('what has ended is known until its time is over', () => {
  const { set, known } = setUp()
  set.add(ended(1, 2, 3))
  set.forgetBefore(3)
  expect([known(1, 2, 3, 4), set.size()]).toEqual([[3], 1])
  set.forgetBefore(Number.POSITIVE_INFINITY)
  expect(set.size()).toBe(0)
})

test('never more are remembered than there is room for; the oldest go, and are counted', () => {
  const { set, known, forgotten } = setUp(2)
  set.add(ended(1, 2))
  set.add(ended(2, 3, 4))
  expect([known(1, 2, 3, 4), set.size(), forgotten]).toEqual([[3, 4], 2, [2]])
})

test('whoever asked is told of each session once, until they have heard enough', () => {
  const { set } = setUp()
  const told: string[] = []
  const stop = set.onEnded((id) => void told.push(id))
  set.add(ended(1))
  set.add(ended(1, 2))
  stop()
  set.add(ended(3))
  expect(told).toEqual(['session 1', 'session 2'])
})

test('what was lowered goes on, can be lowered again, and can end; what has ended stays so', () => {
  const { set } = setUp()
  const told: string[] = []
  set.onEnded((id) => void told.push(id))
  const state = () => [set.has('s'), set.loweredAt('s')]
  const line = (endedAt: number, lowered: boolean) => set.add([{ id: 's', endedAt, lowered }])
  line(1, true)
  line(1, true)
  expect([state(), told]).toEqual([[false, 1], ['s']])
  line(2, true)
  expect(state()).toEqual([false, 2])
  line(3, false)
  line(4, true)
  expect([state(), told]).toEqual([
    [true, undefined],
    ['s', 's', 's'],
  ])
})
