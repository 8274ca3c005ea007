import type { Clock } from '@pando/core/clock'
import type { Refusal } from '@pando/core/refusal'
import type { Database } from '@pando/postgres/database'
import { PostgresError, PostgresUnavailable } from '@pando/postgres/errors'
import { LRUCache } from 'lru-cache'
import { createHmac, hash as digest } from 'node:crypto'
import type { AuthOptions } from '../config.ts'
import { errors } from '../errors.ts'
import { isUuid } from '../uuid.ts'
import type { Attempt, Bucket, Limits } from './limits.ts'
import { toNetwork } from '@pando/http/network'
import {
  type AttemptRow,
  beginAttempt,
  beginSignIn,
  deleteFullBuckets,
  deleteOldAttempts,
  endAttempt,
  forgetAttempts,
  type Take,
  takeTokens,
} from './store.ts'

export type LimitsDeps = {
  /** Connections of its own: saying no has to stay cheap while everything else waits for Postgres. */
  readonly database: Database
  readonly clock: Clock
  /** Key of the hashes, so that a copy of the tables tells no addresses. */
  readonly pepper: Buffer
  readonly options: Pick<AuthOptions, 'failuresFree' | 'failuresMax'>
  readonly onCleanupFailed: (error: unknown) => void
}

/**
 * Who was refused is refused again without a question for this long at most; somewhere else the reason may have gone.
 */
const rememberMs = 5_000
const rememberedMax = 10_000
const cleanupMs = 600_000
const cleanupRowsMax = 10_000
/** How long an account that nobody tries is remembered; also how long a network stays known. */
const attemptDays = 30
/** What is told to who may not try again at all. */
const neverS = 86_400

type Refused = { readonly untilMs: number; readonly refusal: () => Refusal }

export function createLimits({ database, clock, pepper, options, onCleanupFailed }: LimitsDeps): Limits {
  const refused = new LRUCache<string, Refused>({ max: rememberedMax })
  let nextCleanupMs = clock.monotonic() + cleanupMs

  const hash = (...parts: readonly string[]): Buffer =>
    createHmac('sha256', pepper).update(JSON.stringify(parts)).digest()
  const toTake = ({ rate, subject, cost = 1 }: Bucket): Take => {
    const burstSeconds = rate.periodMs / 1000
    return { key: hash('bucket', rate.name, subject), burstSeconds, tokenSeconds: burstSeconds / rate.count, cost }
  }
  const seedOf = (secret: Attempt['secret']): Buffer => hash('attempts', secret)
  const networkOf = (address: string): Buffer => hash('network', toNetwork(address))
  // Keys of accounts are made of their ids in a way that Postgres can go too, once it has found who is asked for.
  const accountOf = ({ secret, account }: Omit<Attempt, 'address'>): Buffer =>
    isUuid(account)
      ? sha256(seedOf(secret), Buffer.from(account.replaceAll('-', ''), 'hex'))
      : hash('attempts', secret, account)
  const rowOf = (attempt: Attempt): AttemptRow => {
    const account = accountOf(attempt)
    return { account, network: sha256(account, networkOf(attempt.address)) }
  }
  const remember = (key: string, seconds: number, refusal: () => Refusal): Refusal => {
    refused.set(key, { untilMs: clock.monotonic() + Math.min(seconds * 1000, rememberMs), refusal })
    return refusal()
  }
  const mustNotBeRefused = (key: string): void => {
    const known = refused.get(key)
    if (known !== undefined && clock.monotonic() < known.untilMs) throw known.refusal()
  }
  const cleanUp = (): void => {
    if (clock.monotonic() < nextCleanupMs) return
    nextCleanupMs = clock.monotonic() + cleanupMs
    Promise.all([
      deleteFullBuckets(database, cleanupRowsMax),
      deleteOldAttempts(database, { days: attemptDays, rowsMax: cleanupRowsMax }),
    ]).catch(onCleanupFailed)
  }

  async function mustBegin<Begun extends { readonly seconds: number }>(
    { secret, account, address }: Attempt,
    begin: () => Promise<Begun>,
  ): Promise<Begun> {
    const name = JSON.stringify([secret, account, toNetwork(address)])
    mustNotBeRefused(name)
    const begun = await mustAnswer(begin())
    cleanUp()
    const { seconds } = begun
    if (seconds === 0) return begun
    const refuse = seconds === Infinity ? errors.tooManyFailures : errors.overRequestRate
    throw remember(name, seconds, () => refuse(toRetryAfter(seconds)))
  }

  return {
    take: async (buckets) => {
      for (const bucket of buckets) {
        const { count, refuse, periodMs } = bucket.rate
        if (count === 0) throw refuse(toRetryAfter(periodMs / 1000))
        mustNotBeRefused(nameOf(bucket))
      }
      const { seconds, place } = await mustAnswer(takeTokens(database, buckets.map(toTake)))
      cleanUp()
      if (seconds === 0) return
      const empty = buckets[place - 1]!
      throw remember(nameOf(empty), seconds, () => empty.rate.refuse(toRetryAfter(seconds)))
    },
    begin: async (attempt) => {
      await mustBegin(attempt, async () => ({ seconds: await beginAttempt(database, rowOf(attempt), options) }))
    },
    beginSignIn: async (key, address) => {
      const account = JSON.stringify(key)
      const keys = {
        account: accountOf({ secret: 'password', account }),
        seed: seedOf('password'),
        network: networkOf(address),
      }
      const begin = () => beginSignIn(database, { key, keys }, options)
      return (await mustBegin({ secret: 'password', account, address }, begin)).user
    },
    end: (tx, attempt) => endAttempt(tx, rowOf(attempt)),
    rowOf,
    forget: (tx, attempt) => forgetAttempts(tx, accountOf(attempt)),
    close: () => database.close(),
  }
}

/** Of parts that are as long each time. */
const sha256 = (...parts: readonly Buffer[]): Buffer => digest('sha256', Buffer.concat(parts), 'buffer')

const toRetryAfter = (seconds: number): number => Math.min(Math.ceil(seconds), neverS)

const nameOf = ({ rate, subject }: Bucket): string => JSON.stringify([rate.name, subject])

/** A statement that was cut short is no answer either, and no reason to let anybody pass. */
async function mustAnswer<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof PostgresError && error.fields.code === statementTimeout)
      throw new PostgresUnavailable('deadline', 'Postgres was too slow to count', { sent: true, cause: error })
    throw error
  }
}

const statementTimeout = '57014'
