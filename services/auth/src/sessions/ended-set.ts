import type { EndedSessions } from '@pando/http/auth/ended-sessions'
import type { EndedSession } from '../store/ended-sessions.ts'

/** What a node knows of sessions that have ended. */
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
  const endedAt = new Map<string, number>()
  const listeners = new Set<(sessionId: string) => void>()

  function forgetOverflow(): void {
    const count = endedAt.size - sessionsMax
    if (count <= 0) return
    for (const id of endedAt.keys().take(count)) endedAt.delete(id)
    onForgotten(count)
  }

  return {
    has: (sessionId) => endedAt.has(sessionId),
    size: () => endedAt.size,
    add(sessions) {
      const news = sessions.filter(({ id }) => !endedAt.has(id))
      for (const session of news) endedAt.set(session.id, session.endedAt)
      forgetOverflow()
      for (const { id } of news) for (const tell of listeners) tell(id)
    },
    forgetBefore(moment) {
      for (const [id, at] of endedAt) {
        if (at >= moment) return
        endedAt.delete(id)
      }
    },
    onEnded(tell) {
      listeners.add(tell)
      return () => listeners.delete(tell)
    },
  }
}
