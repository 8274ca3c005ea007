import { signJwt, type SigningKey } from '../../../libs/http/src/auth/sign-jwt.ts'
import { randomUUID } from 'node:crypto'
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
  /** The same session with an access token that the server has not seen yet. */
  readonly renew: (session: Session) => Promise<Session>
}

/** Sends one request that must go well, and reads its answer. */
export async function ask({ name, origin }: Pick<AuthPeer, 'name' | 'origin'>, call: Call): Promise<unknown> {
  const { method, path, headers, body } = call
  const answer = await fetch(origin + path, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${name} does not ${method} ${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

const password = 'correct horse battery staple'
const email = (account: number): string => `bench${account}@example.com`

type SessionJson = { readonly access_token: string; readonly refresh_token: string }

export type Wire = {
  readonly name: string
  readonly url: string
  readonly apikey: string
  /** What it signs access tokens with. */
  readonly key: SigningKey
}

/** Pando, or whatever else speaks its wire at this address. */
export function toWirePeer({ name, url, apikey, key }: Wire): AuthPeer {
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
    renew: async ({ access, refresh }) => {
      const claims = JSON.parse(Buffer.from(access.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
      return { access: await signJwt({ ...claims, jti: randomUUID() }, key), refresh }
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
  const refresh = (session: Session): Call => post('/sessions', {}, asUser(session))
  const toSession: AuthPeer['toSession'] = (answer, before) => {
    const { sessionToken } = answer as { sessionToken?: string }
    const access = sessionToken ?? before!.access
    return { access, refresh: access }
  }
  return {
    name: 'parse-server',
    origin,
    signUp: (account) => post('/users', { username: email(account), email: email(account), password }),
    signIn: (account) => post('/login', { username: email(account), password }),
    refresh,
    whoAmI: (session) => ({ method: 'GET', path: `${pathname}/users/me`, headers: asUser(session) }),
    toSession,
    renew: async (session) => toSession(await ask({ name: 'parse-server', origin }, refresh(session))),
  }
}
