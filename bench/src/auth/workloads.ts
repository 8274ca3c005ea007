import type { VirtualUser } from './load.ts'
import type { AuthPeer, Session } from './peers.ts'

/** Accounts that are there before the load begins, and people who use them at once. */
export const accountsMax = 32

let newcomers = accountsMax

/** Each makes the load's users, out of the sessions of the accounts. */
export const workloads: Readonly<Record<string, (peer: AuthPeer, sessions: readonly Session[]) => VirtualUser[]>> = {
  refresh: (peer, sessions) =>
    sessions.map((first) => {
      let session = first
      return {
        next: () => peer.refresh(session),
        answered: (answer) => void (session = peer.toSession(answer, session)),
      }
    }),
  'get user': (peer, sessions) => sessions.map((session) => ({ next: () => peer.whoAmI(session) })),
  'sign-in': (peer, sessions) => sessions.map((_session, account) => ({ next: () => peer.signIn(account) })),
  'sign-up': (peer, sessions) => sessions.map(() => ({ next: () => peer.signUp(newcomers++) })),
}
