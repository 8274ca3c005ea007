import { setTimeout } from 'node:timers/promises'
import type { Clock } from '@pando/core/clock'
import { sendCancel, type CancelKey } from './cancel.ts'
import type { Flight } from './flight.ts'
import type { PipelineLimits } from './limits.ts'

export type FenceDeps = { readonly cancelKey: CancelKey; readonly clock: Clock; readonly limits: PipelineLimits }

const cancelRetryMs = 100

/**
 * Cancels the one flight that is in flight until it has landed. Resolves when, in addition, every cancel request has
 * been delivered: only then may the connection be used again, because a cancel hits whatever runs when it arrives.
 * Rejects when the flight does not end within `cancelMs`, or when it is not known whether a request is still under way.
 */
export async function cancelUntilLanded(deps: FenceDeps, flight: Flight): Promise<void> {
  const { cancelKey, clock, limits } = deps
  const giveUpAtMs = clock.monotonic() + limits.cancelMs
  const landing = Promise.withResolvers<'landed'>()
  flight.onLanded = () => landing.resolve('landed')
  for (let outcome = 'running'; outcome !== 'landed';) {
    if (clock.monotonic() >= giveUpAtMs) throw new Error(`A cancelled statement did not end in ${limits.cancelMs} ms`)
    await sendCancel(cancelKey, limits.cancelMs)
    // When the signal comes before Postgres has read the statement, the statement runs on and needs another one.
    const pause = new AbortController()
    outcome = await Promise.race([landing.promise, setTimeout(cancelRetryMs, 'running', { signal: pause.signal })])
    pause.abort()
  }
}
