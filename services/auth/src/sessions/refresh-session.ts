import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import {
  advanceSession,
  deleteSessions,
  findSessionWithUser,
  type SessionRow,
  type SessionWithUser,
} from '../store/sessions.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import { isBanned } from '../user.ts'
import type { Visit } from '../visit.ts'
import { type SessionJson, toSessionJson } from './access-token.ts'
import {
  type Chain,
  decodeRefreshToken,
  encodeRefreshToken,
  latestSecret,
  nextSecret,
  type RefreshToken,
} from './refresh-token.ts'
import { lastUsedMs, whyExpired } from './session-state.ts'

type Found = SessionWithUser & {
  readonly chain: Chain
  /** The secret that is good now. */
  readonly latest: Buffer
}

/**
 * Takes a refresh token and gives the next one. The same token again gives the same next one while that has not been used
 * itself, or within the reuse interval: a phone that lost the answer stays signed in, and of many requests at once all get
 * the same. An older token is a copy in wrong hands: the whole session ends.
 */
export async function refreshSession(deps: AuthDeps, visit: Visit, text: string): Promise<SessionJson> {
  const token = decodeRefreshToken(text)
  if (token === undefined) throw errors.refreshTokenNotFound()
  const advanced = await advance(deps, visit, token)
  if (advanced !== undefined) return advanced
  const found = await findValid(deps, token)
  if (token.counter < found.chain.counter) return repeat(deps, { found, token, visit })
  if (deps.options.singleSessionPerUser) throw errors.sessionExpired(' (Revoked by Newer Login)')
  // Whatever spoke against it is gone.
  return refreshSession(deps, visit, text)
}

/** Undefined when the token is not the latest, or something speaks against the session. */
async function advance(deps: AuthDeps, visit: Visit, token: RefreshToken): Promise<SessionJson | undefined> {
  const { options, clock, database } = deps
  const nowMs = clock.now()
  const since = (limitMs: number): Date | undefined => (limitMs > 0 ? new Date(nowMs - limitMs) : undefined)
  const advanced = await advanceSession(database, {
    ...token,
    now: new Date(nowMs),
    begunAfter: since(options.sessionTimebox),
    usedAfter: since(options.sessionInactivityTimeout),
    onlyNewest: options.singleSessionPerUser,
    userAgent: visit.userAgent,
    address: visit.address,
  })
  const chain = advanced && toChain(advanced.session)
  if (advanced === undefined || chain === undefined) return undefined
  const next = { ...token, counter: chain.counter, secret: nextSecret(chain.key, token.secret) }
  return answer(deps, visit, { ...advanced, token: next })
}

type Answered = SessionWithUser & { readonly token: RefreshToken }

function answer(deps: AuthDeps, { address }: Visit, { user, session, token }: Answered): Promise<SessionJson> {
  const refreshToken = encodeRefreshToken(token)
  return toSessionJson(deps, { user, session, refreshToken, method: 'token_refresh' }, { address })
}

async function findValid({ database, options, clock }: AuthDeps, token: RefreshToken): Promise<Found> {
  const found = await findSessionWithUser(database, token.sessionId)
  if (found === undefined) throw errors.refreshTokenNotFound()
  const { session, user } = found
  const chain = toChain(session)
  const latest = chain && latestSecret(token, chain)
  if (chain === undefined || latest === undefined) throw errors.refreshTokenNotFound()
  if (isBanned(user, clock.now())) throw errors.refreshTokenUserBanned()
  const expired = whyExpired(session, options, clock.now())
  if (expired !== undefined) throw errors.sessionExpired(expired)
  return { session, user, chain, latest }
}

function toChain(session: SessionRow): Chain | undefined {
  const { refresh_token_hmac_key: key, refresh_token_counter: counter, refresh_token_hash: hash } = session
  if (key === null || counter === null || hash === null) return undefined
  return { key: Buffer.from(key), counter: Number(counter), hash }
}

type Repeated = { readonly found: Found; readonly token: RefreshToken; readonly visit: Visit }

async function repeat(deps: AuthDeps, { found, token, visit }: Repeated): Promise<SessionJson> {
  const { session, user, chain, latest } = found
  const { options, clock, database } = deps
  const isParent = token.counter === chain.counter - 1
  const isRecent = clock.now() - lastUsedMs(session) <= options.refreshTokenReuseInterval
  if (isParent || isRecent) {
    return answer(deps, visit, { ...found, token: { ...token, counter: chain.counter, secret: latest } })
  }
  if (options.refreshTokenRotation) {
    await database.transaction(async (tx) => {
      await deleteSessions(tx, { only: session.id })
      await insertAuditEvent(tx, { action: 'token_revoked', actor: user, address: visit.address })
    })
  }
  throw errors.refreshTokenUsed()
}
