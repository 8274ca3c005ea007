import type { AuthOptions } from '../config.ts'
import type { SessionRow } from '../store/sessions.ts'

type Limits = Pick<AuthOptions, 'sessionTimebox' | 'sessionInactivityTimeout'>

/** Why a session may not be refreshed any more, as the message ends; undefined while it may. */
export function whyExpired(session: SessionRow, limits: Limits, nowMs: number): string | undefined {
  if (session.not_after !== null && nowMs > session.not_after.getTime()) return ''
  if (limits.sessionTimebox > 0 && nowMs > session.created_at.getTime() + limits.sessionTimebox) return ''
  const { sessionInactivityTimeout: inactive } = limits
  return inactive > 0 && nowMs > lastUsedMs(session) + inactive ? ' (Inactivity)' : undefined
}

export const lastUsedMs = ({ refreshed_at, created_at }: SessionRow): number => (refreshed_at ?? created_at).getTime()
