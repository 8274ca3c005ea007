import type { VirtualUser } from './load.ts'
import type { AuthPeer, Session } from './peers.ts'

/** Accounts that are there before the load begins, and people who use them at once. */
export const accountsMax = 32

let newcomers = accountsMax

/**
 * Sessions that are there before 'new token' begins, and are shown in turn: more than Pando remembers tokens of, and of
 * Parse Server, which can sign none outside, so many that none comes back within the 5 s for which it remembers them.
 */
const newTokensMax = { jwt: 20_000, parse: 4_000 }

type Users = VirtualUser[] | Promise<VirtualUser[]>

/** Each makes the load's users, out of the sessions of the accounts. */
export const workloads: Readonly<Record<string, (peer: AuthPeer, sessions: readonly Session[]) => Users>> = {
  refresh: (peer, sessions) =>
    sessions.map((first) => {
      let session = first
      return {
        next: () => peer.refresh(session),
        answered: (answer) => void (session = peer.toSession(answer, session)),
      }
    }),
  'get user': (peer, sessions) => sessions.map((session) => ({ next: () => peer.whoAmI(session) })),
  'new token': async (peer, sessions) => {
    const count = (peer.name === 'parse-server' ? newTokensMax.parse : newTokensMax.jwt) / sessions.length
    return Promise.all(
      sessions.map(async (session) => {
        const fresh: Session[] = []
        while (fresh.length < count) fresh.push(await peer.renew(session))
        let shown = 0
        return { next: () => peer.whoAmI(fresh[shown++ % fresh.length]!) }
      }),
    )
  },
  'sign-in': (peer, sessions) => sessions.map((_session, account) => ({ next: () => peer.signIn(account) })),
  'sign-up': (peer, sessions) => sessions.map(() => ({ next: () => peer.signUp(newcomers++) })),
}
