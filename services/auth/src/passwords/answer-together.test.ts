import { expect, test } from 'vitest'
import { answerTogether } from './answer-together.ts'

test('answers wait for each other, each is given once, and the next one begins another wait', () => {
  const waits: { run: () => void; ms: number }[] = []
  const given: string[] = []
  const later = answerTogether(25, (run, ms) => waits.push({ run, ms }))
  const ask = (...names: string[]) => names.forEach((name) => later(() => void given.push(name)))
  ask('one', 'two', 'three')
  expect([given, waits.map(({ ms }) => ms)]).toEqual([[], [25]])
  waits[0]!.run()
  expect(given).toEqual(['one', 'two', 'three'])
  ask('four')
  expect(waits).toHaveLength(2)
  waits[1]!.run()
  expect(given).toEqual(['one', 'two', 'three', 'four'])
})
