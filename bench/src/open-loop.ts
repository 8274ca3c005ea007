import { Pool } from 'undici'
import { fillText } from './wrk.ts'
import type { LoadTarget } from './wrk.ts'

export type OpenLoopResult = {
  readonly offeredPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly failed: number
  /** How late the generator itself was; a run whose p99 is above 5 ms says nothing and is void. */
  readonly lateP99Ms: number
}

/**
 * Arrivals on a schedule, whatever the server does; latency counts from the scheduled instant, so that a stall is not
 * hidden by requests that were never sent.
 */
export function runOpenLoop(
  target: LoadTarget,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<OpenLoopResult> {
  const pool = new Pool(new URL(target.base).origin, { connections: 256 })
  const total = Math.floor(perSecond * seconds)
  const latencies: number[] = []
  const lateness: number[] = []
  const startMs = performance.now() + 20
  let sent = 0
  let open = 0
  let failed = 0
  return new Promise((resolve) => {
    const finish = (): void => {
      if (sent < total || open > 0) return
      void pool.destroy()
      resolve({
        offeredPerSecond: perSecond,
        p50Ms: percentile(latencies, 0.5),
        p99Ms: percentile(latencies, 0.99),
        failed,
        lateP99Ms: percentile(lateness, 0.99),
      })
    }
    const arrive = (scheduledMs: number): void => {
      lateness.push(performance.now() - scheduledMs)
      open += 1
      send(pool, target, (ok) => {
        open -= 1
        latencies.push(performance.now() - scheduledMs)
        if (!ok) failed += 1
        finish()
      })
    }
    const tick = (): void => {
      const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * perSecond))
      while (sent < due) arrive(startMs + (sent++ / perSecond) * 1000)
      // A loop without a pause would take a processor from the server; what it costs is in `lateP99Ms`.
      if (sent < total) setTimeout(tick, 1)
      else finish()
    }
    setTimeout(tick, 1)
  })
}

/** By undici's dispatcher, because `node:http` takes a third of a processor for what it sends here. */
function send(pool: Pool, { base, method, path, headers, body }: LoadTarget, done: (ok: boolean) => void): void {
  let status = 0
  pool.dispatch(
    {
      method,
      path: new URL(base).pathname.replace(/\/$/, '') + fillText(path),
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? null : fillText(body),
    },
    {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, statusCode) => void (status = statusCode),
      onResponseData: () => undefined,
      onResponseEnd: () => done(status < 300),
      onResponseError: () => done(false),
    },
  )
}

/** The value below which a share of the samples lies; NaN without samples. */
export function percentile(samples: number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
