import type { Call } from './load.ts'

/** What somebody signed in holds. */
export type Session = { readonly access: string; readonly refresh: string }

/** A server of accounts: how each thing is asked of it. */
export type AuthPeer = {
  readonly name: string
  readonly origin: string
  readonly signUp: (account: number) => Call
  readonly signIn: (account: number) => Call
  readonly refresh: (session: Session) => Call
  readonly whoAmI: (session: Session) => Call
  readonly toSession: (answer: unknown, before?: Session) => Session
}

const password = 'correct horse battery staple'
const email = (account: number): string => `bench${account}@example.com`

type SessionJson = { readonly access_token: string; readonly refresh_token: string }

/** Pando, or whatever else speaks its wire at this address. */
export function toWirePeer(name: string, url: string, apikey: string): AuthPeer {
  const { origin, pathname } = new URL(url)
  const at = (path: string): string => pathname.replace(/\/$/, '') + path
  const headers = { apikey }
  const asUser = ({ access }: Session) => ({ ...headers, authorization: `Bearer ${access}` })
  const post = (path: string, body: object): Call => ({ method: 'POST', path: at(path), headers, body })
  return {
    name,
    origin,
    signUp: (account) => post('/signup', { email: email(account), password }),
    signIn: (account) => post('/token?grant_type=password', { email: email(account), password }),
    refresh: ({ refresh }) => post('/token?grant_type=refresh_token', { refresh_token: refresh }),
    whoAmI: (session) => ({ method: 'GET', path: at('/user'), headers: asUser(session) }),
    toSession: (answer) => {
      const { access_token: access, refresh_token: refresh } = answer as SessionJson
      return { access, refresh }
    },
  }
}

/** Parse Server has one long-lived token; what is nearest to a refresh is getting another one for it. */
export function toParsePeer(url: string, common: Readonly<Record<string, string>>): AuthPeer {
  const { origin, pathname } = new URL(url)
  const asUser = ({ access }: Session) => ({ ...common, 'x-parse-session-token': access })
  const post = (path: string, body: object, headers = common): Call => ({
    method: 'POST',
    path: pathname + path,
    headers,
    body,
  })
  return {
    name: 'parse-server',
    origin,
    signUp: (account) => post('/users', { username: email(account), email: email(account), password }),
    signIn: (account) => post('/login', { username: email(account), password }),
    refresh: (session) => post('/sessions', {}, asUser(session)),
    whoAmI: (session) => ({ method: 'GET', path: `${pathname}/users/me`, headers: asUser(session) }),
    toSession: (answer, before) => {
      const { sessionToken } = answer as { sessionToken?: string }
      const access = sessionToken ?? before!.access
      return { access, refresh: access }
    },
  }
}
