import type { AuthOptions } from '../config.ts'
import type { SessionRow } from '../store/sessions.ts'

type Times = Pick<SessionRow, 'created_at' | 'refreshed_at' | 'not_after'>
type Limits = Pick<AuthOptions, 'sessionTimebox' | 'sessionInactivityTimeout'>

/** Why a session may not be refreshed any more, as the message ends; undefined while it may. */
export function whyExpired(session: Times, limits: Limits, nowMs: number): string | undefined {
  if (session.not_after !== null && nowMs > session.not_after.getTime()) return ''
  if (limits.sessionTimebox > 0 && nowMs > session.created_at.getTime() + limits.sessionTimebox) return ''
  const { sessionInactivityTimeout: inactive } = limits
  return inactive > 0 && nowMs > lastUsedMs(session) + inactive ? ' (Inactivity)' : undefined
}

/** When a session ends that is used now and never again, milliseconds since the epoch; infinite without a limit. */
export function endsMs(session: Omit<Times, 'refreshed_at'>, limits: Limits, nowMs: number): number {
  const { sessionTimebox: timebox, sessionInactivityTimeout: inactive } = limits
  return Math.min(
    session.not_after?.getTime() ?? Number.POSITIVE_INFINITY,
    timebox > 0 ? session.created_at.getTime() + timebox : Number.POSITIVE_INFINITY,
    inactive > 0 ? nowMs + inactive : Number.POSITIVE_INFINITY,
  )
}

export const lastUsedMs = ({ refreshed_at, created_at }: Omit<Times, 'not_after'>): number =>
  (refreshed_at ?? created_at).getTime()
