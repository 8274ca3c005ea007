import type { Authenticate } from '@pando/core/authenticate'
import type { Caller } from '@pando/core/caller'
import { authErrors } from './errors.ts'
import { isLowered, lowerCaller } from './lower-caller.ts'

/** Sessions whose access tokens say more than they are worth. */
export type EndedSessions = {
  /** Whether the session has ended. */
  has(sessionId: string): boolean
  /** When a session that goes on lost its second factor, seconds since the epoch; undefined when it has not. */
  loweredAt(sessionId: string): number | undefined
  /**
   * Until the answer is called `tell` hears of each session, when this node learns that it has ended or was lowered: what
   * was begun with its access tokens is over.
   */
  onEnded(tell: (sessionId: string) => void): () => void
}

/**
 * The same, without those whose session has ended (`token.invalid`); whose session was lowered has proved no second
 * factor, whatever the token says. What was verified stays in the verification cache, and each request costs one look by
 * the claim `session_id`. A token without that claim (keys, third parties) has no session.
 */
export function refuseEnded(authenticate: Authenticate, ended: Pick<EndedSessions, 'has' | 'loweredAt'>): Authenticate {
  // Requests with one token share one caller.
  const lowered = new WeakMap<Caller, Caller>()
  const lower = (caller: Caller): Caller => {
    let lower = lowered.get(caller)
    if (lower === undefined) lowered.set(caller, (lower = lowerCaller(caller)))
    return lower
  }
  const admit = (caller: Caller): Caller => {
    const sessionId = caller.claims['session_id']
    if (typeof sessionId !== 'string') return caller
    if (ended.has(sessionId)) throw authErrors.sessionEnded()
    const loweredAt = ended.loweredAt(sessionId)
    return loweredAt !== undefined && isLowered(caller, loweredAt) ? lower(caller) : caller
  }
  return (credentials) => {
    const caller = authenticate(credentials)
    return caller instanceof Promise ? caller.then(admit) : admit(caller)
  }
}
