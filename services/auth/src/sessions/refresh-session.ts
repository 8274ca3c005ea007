import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import {
  deleteSessions,
  findSessionWithUser,
  listOtherSessions,
  rotateRefreshToken,
  type SessionRow,
} from '../store/sessions.ts'
import { insertAuditEvent } from '../store/audit-log.ts'
import type { UserRow } from '../store/users.ts'
import { isBanned } from '../user.ts'
import type { Visit } from '../visit.ts'
import { type SessionJson, toSessionJson } from './access-token.ts'
import {
  type Chain,
  decodeRefreshToken,
  encodeRefreshToken,
  hashSecret,
  latestSecret,
  nextSecret,
  type RefreshToken,
} from './refresh-token.ts'
import { lastUsedMs, whyExpired } from './session-state.ts'

type Found = {
  readonly session: SessionRow
  readonly user: UserRow
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
  const found = await findValid(deps, token)
  const { session, user, chain, latest } = found
  if (token.counter < chain.counter) return repeat(deps, { found, token, visit })
  if (deps.options.singleSessionPerUser) await mustBeNewest(deps, found)
  const next = nextSecret(chain.key, latest)
  const rotated = await rotateRefreshToken(deps.database, {
    sessionId: session.id,
    counter: BigInt(chain.counter),
    hash: chain.hash,
    nextCounter: BigInt(chain.counter + 1),
    nextHash: hashSecret(next),
    userAgent: visit.userAgent,
    address: visit.address,
  })
  // Somebody else with the same token was faster, or the session has ended: look again.
  if (!rotated) return refreshSession(deps, visit, text)
  const refreshToken = encodeRefreshToken({ sessionId: session.id, counter: chain.counter + 1, secret: next })
  return toSessionJson(deps, { user, session, refreshToken, method: 'token_refresh' }, { address: visit.address })
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
  return { key: Buffer.from(key, 'base64url'), counter: Number(counter), hash }
}

type Repeated = { readonly found: Found; readonly token: RefreshToken; readonly visit: Visit }

async function repeat(deps: AuthDeps, { found, token, visit }: Repeated): Promise<SessionJson> {
  const { session, user, chain, latest } = found
  const { options, clock, database } = deps
  const isParent = token.counter === chain.counter - 1
  const isRecent = clock.now() - lastUsedMs(session) <= options.refreshTokenReuseInterval
  if (isParent || isRecent) {
    const refreshToken = encodeRefreshToken({ sessionId: session.id, counter: chain.counter, secret: latest })
    return toSessionJson(deps, { user, session, refreshToken, method: 'token_refresh' }, { address: visit.address })
  }
  if (options.refreshTokenRotation) {
    await database.transaction(async (tx) => {
      await deleteSessions(tx, { only: session.id })
      await insertAuditEvent(tx, { action: 'token_revoked', actor: user, address: visit.address })
    })
  }
  throw errors.refreshTokenUsed()
}

/** With one session per user, only the one that was used last goes on. */
async function mustBeNewest({ database, options, clock }: AuthDeps, { session }: Found): Promise<void> {
  const others = await listOtherSessions(database, session)
  const isNewer = (other: SessionRow) =>
    lastUsedMs(other) > lastUsedMs(session) && whyExpired(other, options, clock.now()) === undefined
  if (others.some(isNewer)) throw errors.sessionExpired(' (Revoked by Newer Login)')
}
