import { expect, test } from 'vitest'
import { createDeliveryLag } from './delivery-lag.ts'

test('the first delivery of each change counts, from its commit on, and nothing that somebody missed', () => {
  const seconds: number[] = []
  const lag = createDeliveryLag({ now: () => Date.parse('2026-11-22T10:00:02.500Z') }, (each) => seconds.push(each))
  const tell = (cursor: string, commitTimestamp: string): void => lag.tell({ cursor, commitTimestamp })
  lag.pass('2')
  tell('1', '2026-11-22T09:00:00.000000Z')
  tell('3', '2026-11-22T10:00:02.250123Z')
  tell('3', '2026-11-22T10:00:02.250123Z')
  tell('2', '2026-11-22T10:00:00.000000Z')
  tell('4', '2026-11-22T10:00:02.000000Z')
  expect(seconds).toEqual([0.25, 0.5])
})
