import type { EndedSessions } from '@pando/http/auth/ended-sessions'
import type { EndedSession } from '../store/ended-sessions.ts'

/** What a node knows of sessions that have ended, or fell to a lower level of assurance. */
export type EndedSet = EndedSessions & {
  add(sessions: readonly EndedSession[]): void
  /** Forgets what ended before `endedAt`, in seconds since the epoch. */
  forgetBefore(endedAt: number): void
  size(): number
}

/**
 * At most `sessionsMax`, in the order in which they came, which is about that in which they ended. `onForgotten` hears
 * how many had to go for newer ones: their access tokens are good again until they expire.
 */
export function createEndedSet(sessionsMax: number, onForgotten: (count: number) => void): EndedSet {
  const known = new Map<string, EndedSession>()
  const listeners = new Set<(sessionId: string) => void>()

  /** What has ended cannot end again; what was lowered can, and be lowered once more. */
  function isNews({ id, endedAt, lowered }: EndedSession): boolean {
    const before = known.get(id)
    return before === undefined || (before.lowered && (!lowered || endedAt > before.endedAt))
  }

  function note(session: EndedSession): boolean {
    if (!isNews(session)) return false
    known.delete(session.id)
    known.set(session.id, session)
    return true
  }

  function forgetOverflow(): void {
    const count = known.size - sessionsMax
    if (count <= 0) return
    for (const id of known.keys().take(count)) known.delete(id)
    onForgotten(count)
  }

  return {
    has: (sessionId) => known.get(sessionId)?.lowered === false,
    loweredAt: (sessionId) => {
      const session = known.get(sessionId)
      return session?.lowered === true ? session.endedAt : undefined
    },
    size: () => known.size,
    add(sessions) {
      const news = sessions.filter(note)
      forgetOverflow()
      for (const { id } of news) for (const tell of listeners) tell(id)
    },
    forgetBefore(moment) {
      for (const [id, { endedAt }] of known) {
        if (endedAt >= moment) return
        known.delete(id)
      }
    },
    onEnded(tell) {
      listeners.add(tell)
      return () => listeners.delete(tell)
    },
  }
}
