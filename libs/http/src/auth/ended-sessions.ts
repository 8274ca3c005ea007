import type { Authenticate } from '@pando/core/authenticate'
import type { Caller } from '@pando/core/caller'
import { authErrors } from './errors.ts'

/** Sessions that have ended while access tokens of theirs may still be out. */
export type EndedSessions = {
  has(sessionId: string): boolean
  /** Until the answer is called `tell` hears of each session once, when this node learns that it has ended. */
  onEnded(tell: (sessionId: string) => void): () => void
}

/**
 * The same, without those whose session has ended: `token.invalid`. What was verified stays in the verification cache,
 * and each request costs one look by the claim `session_id`. A token without that claim (keys, third parties) has no
 * session.
 */
export function refuseEnded(authenticate: Authenticate, ended: Pick<EndedSessions, 'has'>): Authenticate {
  const admit = (caller: Caller): Caller => {
    const sessionId = caller.claims['session_id']
    if (typeof sessionId === 'string' && ended.has(sessionId)) throw authErrors.sessionEnded()
    return caller
  }
  return (credentials) => {
    const caller = authenticate(credentials)
    return caller instanceof Promise ? caller.then(admit) : admit(caller)
  }
}
