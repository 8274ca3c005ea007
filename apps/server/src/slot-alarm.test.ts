import { expect, test } from 'vitest'
import { createSlotAlarm } from './slot-alarm.ts'

const mib = 1024 ** 2

test('much log that is kept is told once until it is less, and that nothing bounds it once', () => {
  const told: string[] = []
  const alarm = createSlotAlarm({ warn: (_facts: unknown, text?: string) => told.push(String(text)) }, 512 * mib)
  const check = (retainedBytes: number, leftBytes: number | null = mib): string[] => {
    alarm({ kind: 'slot.checked', slot: 's', retainedBytes, leftBytes, windowBytes: 0, windowTransactions: 0 })
    return told.splice(0)
  }
  expect(check(512 * mib)).toEqual([])
  expect(check(512 * mib + 1)).toEqual(['Postgres keeps much log for the slot'])
  expect(check(600 * mib)).toEqual([])
  expect(check(mib)).toEqual([])
  expect(check(600 * mib)).toHaveLength(1)
  expect(check(mib, null)).toEqual([expect.stringContaining('set max_slot_wal_keep_size')])
  expect(check(mib, null)).toEqual([])
})
