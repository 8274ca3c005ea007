import fc from 'fast-check'
import { expect, test } from 'vitest'
import { beyondEveryLsn } from '../lsn.ts'
import { createCommitLog } from './commit-log.ts'

function start(limits: { lagMsMax?: number; writersMax?: number } = {}) {
  let nowMs = 0
  const clock = { now: () => nowMs, monotonic: () => nowMs }
  const log = createCommitLog({ clock, lagMsMax: 1_000, writersMax: 1_000, ...limits })
  return {
    ...log,
    sizeNow: () => log.size,
    wait: (ms: number) => {
      nowMs += ms
    },
    /** The primary was asked just now. */
    reached: (lsn: bigint) => log.reached(lsn, nowMs),
    reachedBefore: (lsn: bigint, ms: number) => log.reached(lsn, nowMs - ms),
  }
}

test('a caller needs what they wrote, others do not', () => {
  const log = start()
  log.note('anna', 500n)
  expect([log.neededBy('anna'), log.neededBy('bert')]).toEqual([500n, 0n])
})

test('an earlier commit that is heard of later takes nothing back', () => {
  const log = start()
  log.note('anna', 500n)
  log.note('anna', 400n)
  expect(log.neededBy('anna')).toBe(500n)
})

test('what is older than the longest lag is needed by everybody', () => {
  const log = start()
  log.note('anna', 500n)
  log.wait(999)
  log.reached(700n)
  expect([log.neededBy('anna'), log.neededBy('bert'), log.sizeNow()]).toEqual([500n, 0n, 1])
  log.wait(1)
  log.reached(800n)
  expect([log.neededBy('anna'), log.neededBy('bert'), log.sizeNow()]).toEqual([500n, 500n, 0])
  log.wait(1_000)
  log.reached(900n)
  expect(log.neededBy('bert')).toBe(800n)
})

test('while the primary says nothing, nothing is forgotten', () => {
  const log = start()
  log.note('anna', 500n)
  log.wait(1_000_000)
  expect([log.neededBy('anna'), log.neededBy('bert')]).toEqual([500n, 0n])
})

test('of too many writers the oldest commits are needed by everybody', () => {
  const log = start({ writersMax: 2 })
  log.note('anna', 500n)
  log.note('bert', 600n)
  log.note('anna', 700n)
  log.note('carl', 800n)
  expect([log.neededBy('dora'), log.neededBy('anna'), log.sizeNow()]).toEqual([600n, 700n, 2])
})

test('a doubtful write keeps its caller at the primary until it is decided', () => {
  const log = start()
  log.doubt('anna')
  log.note('anna', 500n)
  expect([log.neededBy('anna'), log.neededBy('bert')]).toEqual([beyondEveryLsn, 0n])
  log.wait(1_000)
  log.reached(9_000n)
  expect([log.neededBy('anna'), log.neededBy('bert')]).toEqual([9_000n, 9_000n])
})

test('when anybody may have written, all ask the primary until it was asked since', () => {
  const log = start()
  log.wait(100)
  log.doubtAll()
  expect(log.neededBy('anna')).toBe(beyondEveryLsn)
  log.wait(10)
  log.reachedBefore(900n, 20)
  expect(log.neededBy('anna')).toBe(beyondEveryLsn)
  log.reachedBefore(1_000n, 5)
  expect(log.neededBy('anna')).toBe(1_000n)
})

test('with another primary the places of before mean nothing', () => {
  const log = start()
  log.note('anna', 500n)
  log.doubt('bert')
  log.restart(300n)
  expect([log.neededBy('anna'), log.neededBy('bert')]).toEqual([300n, 300n])
})

test('the lag counts to the end of the last record, not behind the header of the next page', () => {
  const log = start()
  log.reached(8192n * 5n + 24n)
  log.wait(1_000)
  log.reached(8192n * 5n + 24n)
  expect(log.neededBy('anna')).toBe(8192n * 5n)
})

const step = fc.oneof(
  fc.record({ is: fc.constant('note' as const), caller: fc.nat(5) }),
  fc.record({ is: fc.constant('doubt' as const), caller: fc.nat(5) }),
  fc.record({ is: fc.constant('wait' as const), ms: fc.nat(400) }),
  fc.record({ is: fc.constant('reached' as const) }),
)

test('whatever happens, nobody ever needs less than they wrote', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const log = start({ writersMax: 3 })
      const written = new Map<string, bigint>()
      // Records of 64 bytes, none of which ends behind the header of a page.
      let lsn = 64n
      for (const each of steps) {
        lsn += 64n
        if (each.is === 'wait') log.wait(each.ms)
        else if (each.is === 'reached') log.reached(lsn)
        else if (each.is === 'doubt') log.doubt(`caller ${each.caller}`)
        else {
          log.note(`caller ${each.caller}`, lsn)
          written.set(`caller ${each.caller}`, lsn)
        }
        for (const [caller, own] of written) expect(log.neededBy(caller)).toBeGreaterThanOrEqual(own)
      }
    }),
  )
})
