import { PostgresError } from '../errors.ts'
import type { Flight } from './flight.ts'
import type { LaneKind, Observe } from './observation.ts'
import type { SpeedLedger } from './speed-ledger.ts'

export type LandingDeps = {
  readonly ledger: SpeedLedger
  readonly observe: Observe
  /** Sends a flight on its way once more. */
  readonly reroute: (flight: Flight) => void
}

const queryCanceled = '57014'
const invalidStatementName = '26000'

/** Decides what an answered flight comes to: a result, an error, or a second try; and what is learned from it. */
export function settleLanded(deps: LandingDeps, kind: LaneKind, flight: Flight, tookMs: number): void {
  const { error, plan } = flight
  const code = error?.fields.code
  if (code === undefined || code === queryCanceled) deps.ledger.record(plan.statements, tookMs)
  if (error === null) return flight.succeed()
  if (code === queryCanceled && kind === 'shared') deps.ledger.markSlow(plan.statements)
  if (!mayTryAgain(flight, kind)) return flight.fail(new PostgresError(error.fields))
  deps.observe({ kind: 'exchange.retried', role: plan.role, lane: kind, code: error.fields.code })
  flight.rewind()
  deps.reroute(flight)
}

/**
 * The failed exchange was one transaction, so nothing of it was done. It is tried again, once, when the reason is ours:
 * a prepared statement that is gone or outdated, or the time limit of a shared connection, which is not the role's.
 */
function mayTryAgain({ settled, retried, plan, error }: Flight, kind: LaneKind): boolean {
  if (settled || retried || error === null || !plan.envelope.named) return false
  const { code } = error.fields
  if (code === queryCanceled) return kind === 'shared'
  return code === invalidStatementName || error.routine === 'RevalidateCachedQuery'
}

/** "Too many connections", for everybody or for this role or database. */
export function isTooManyConnections(error: Error): boolean {
  return (error.cause as { code?: string } | undefined)?.code === '53300'
}
