import type { Settings } from './envelope.ts'
import type { PipelineLimits } from './limits.ts'
import type { LaneKind } from './observation.ts'

const unitMs: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** The settings with which a session of a lane is opened: those of its role, and ours around them. */
export function toSessionSettings(
  limits: PipelineLimits,
  lane: { readonly role: string; readonly kind: LaneKind },
  roleSettings: Settings,
): Settings {
  const own = roleSettings.filter(([name]) => !reserved.has(name.toLowerCase()))
  const given = roleSettings.find(([name]) => name.toLowerCase() === 'statement_timeout')?.[1]
  return [
    ['idle_in_transaction_session_timeout', String(limits.transactionIdleMs)],
    ...own,
    ['statement_timeout', String(toStatementTimeoutMs(limits, lane.kind, given))],
    ['default_transaction_read_only', lane.kind === 'write' ? 'off' : 'on'],
    ['role', lane.role],
  ]
}

const reserved = new Set(['role', 'session_authorization', 'statement_timeout', 'default_transaction_read_only'])

/** The role's own time limit, capped on shared connections; 0 is Postgres' "none". */
function toStatementTimeoutMs(limits: PipelineLimits, kind: LaneKind, given: string | undefined): number {
  const roleMs = given === undefined ? limits.statementMs : toMilliseconds(given)
  if (kind !== 'shared') return roleMs
  return roleMs === 0 ? limits.sharedStatementMs : Math.min(roleMs, limits.sharedStatementMs)
}

/** A time as Postgres writes it in settings: a number of milliseconds, or with one of its units. */
export function toMilliseconds(text: string): number {
  const match = /^\s*'?(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?'?\s*$/.exec(text)
  if (match === null) throw new RangeError(`"${text}" is not a time that statement_timeout takes, for example "8s"`)
  return Math.ceil(Number(match[1]) * unitMs[match[2] ?? 'ms']!)
}
