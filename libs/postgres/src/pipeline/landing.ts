import { remainingMs } from '@pando/core/deadline'
import { PostgresError, PostgresUnavailable } from '../errors.ts'
import type { ErrorReply } from './error-reply.ts'
import { toGivenUp, type Flight } from './flight.ts'
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
const readOnlyTransaction = '25006'
const raised = 'exec_stmt_raise'

/** Decides what an answered flight comes to: a result, an error, or a second try; and what is learned from it. */
export function settleLanded(deps: LandingDeps, kind: LaneKind, flight: Flight, tookMs: number): void {
  const { error, plan } = flight
  const code = error?.fields.code
  if (code === undefined || code === queryCanceled) deps.ledger.record(plan.statements, tookMs)
  if (error === null) return flight.succeed()
  if (code === queryCanceled && kind === 'shared') deps.ledger.markSlow(plan.statements)
  if (!mayTryAgain(flight, kind)) return flight.fail(toFailure(flight, error, kind))
  deps.observe({ kind: 'exchange.retried', role: plan.role, lane: kind, code: error.fields.code })
  flight.rewind()
  deps.reroute(flight)
}

/**
 * Where the deadline went along as `statement_timeout`, Postgres may say that it passed before the own timer does. Behind
 * a pooler nobody says that the server is in recovery before a write fails; that then is an outage, and nothing of the
 * write was done.
 */
function toFailure({ plan }: Flight, { fields, routine }: ErrorReply, kind: LaneKind): Error {
  if (fields.code === queryCanceled && remainingMs(plan.deadline) === 0) return toGivenUp('deadline', true)
  if (kind !== 'any' || plan.access !== 'write' || fields.code !== readOnlyTransaction) return new PostgresError(fields)
  // A function's own words say nothing of the server.
  if (routine === raised) return new PostgresError(fields)
  return new PostgresUnavailable('connection', `Postgres takes no writes now: ${fields.message}`, { sent: false })
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
