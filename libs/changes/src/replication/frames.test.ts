import { expect, test } from 'vitest'
import { toEpochMs, toIsoTime, toStatusFrame } from './frames.ts'

test('times of the protocol keep their microseconds', () => {
  const micros = BigInt(Date.parse('2026-11-22T13:05:12.123Z') - Date.parse('2000-01-01T00:00:00Z')) * 1000n + 456n
  expect(toIsoTime(micros)).toBe('2026-11-22T13:05:12.123456Z')
  expect(toEpochMs(micros)).toBe(Date.parse('2026-11-22T13:05:12.123Z') + 0.456)
  expect(toIsoTime(0n)).toBe('2000-01-01T00:00:00.000000Z')
  expect(toIsoTime(-1n)).toBe('1999-12-31T23:59:59.999999Z')
})

test('a status has the documented form', () => {
  const nowMs = Date.parse('2000-01-01T00:00:01Z')
  const frame = toStatusFrame({ writtenLsn: 0x1_0000_0002n, confirmedLsn: 3n, nowMs, wantsReply: true })
  const positions = '0000000100000002' + '0000000000000003'.repeat(2)
  expect(frame.toString('hex')).toBe(`64000000267${'2'}${positions}00000000000f424001`)
})
