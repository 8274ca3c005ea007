import type { Clock } from '@pando/core/clock'
import { deadlineIn } from '@pando/core/deadline'
import { expect, test } from 'vitest'
import { createFlight, type Flight } from './flight.ts'
import { settleLanded } from './landing.ts'
import { defaultPipelineLimits } from './limits.ts'
import { createSpeedLedger } from './speed-ledger.ts'

/** What the caller is told when Postgres cancels a statement that may take a second, after so many milliseconds. */
async function canceledAfter(tookMs: number): Promise<unknown> {
  let nowMs = 0
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs }
  // Its timer is late: it never fires.
  const watch = { add() {}, remove() {}, size: 0 }
  const flights: Flight[] = []
  const statements = [{ text: 'select pg_sleep(20)', params: [] }]
  const envelope = { statements, firstWanted: 0, endWanted: 1, named: true, ends: 'I' as const }
  const plan = { role: 'anon', access: 'read' as const, envelope, statements, signal: undefined }
  const answer = createFlight({ ...plan, deadline: deadlineIn(clock, 1_000) }, watch, (flight) => flights.push(flight))
  const flight = flights[0]!
  nowMs = tookMs
  const fields = { severity: 'ERROR', code: '57014', message: 'canceling statement due to statement timeout' }
  flight.error = { fields, fatal: false, routine: 'ProcessInterrupts' }
  const observe = () => {}
  const reroute = () => expect.fail('It was sent again')
  settleLanded({ ledger: createSpeedLedger(defaultPipelineLimits, observe), observe, reroute }, 'any', flight, tookMs)
  return answer.catch((error: unknown) => error)
}

test('a statement that Postgres cancels when the deadline is over is answered as one whose deadline passed', async () => {
  expect(await canceledAfter(1_000)).toMatchObject({ reason: 'deadline', sent: true })
})

test('a statement that Postgres cancels before is answered with what Postgres says', async () => {
  expect(await canceledAfter(500)).toMatchObject({ fields: { code: '57014' } })
})
