import { type PolicyClaims, toClaimsKey, toPolicyClaims } from '@pando/catalogue/policies/policy-claims'
import type { ChangeReader, LogPlace } from '@pando/changes/reader'
import type { Caller } from '@pando/core/caller'
import type { Clock } from '@pando/core/clock'
import type { Database } from '@pando/postgres/database'
import { createAnalyses, type Sources } from './analyses.ts'
import type { Analysis, Readable, Reason } from './analysis.ts'
import type { Answered, CachedRead, Keepable, KeptUse } from './cached-read.ts'
import type { CacheValues } from './config.ts'
import { createFreshReads, type Found } from './fresh-reads.ts'
import { createKeptAnswers, type KeptAnswers } from './kept-answers.ts'
import { createKnownLog } from './known-log.ts'
import { createLedger } from './ledger.ts'
import type { Observe } from './observation.ts'
import { type Kept, toTag } from './page.ts'
import type { Mark } from './pulse.ts'
import type { SharedStore } from './shared-store.ts'
import type { ReadNow } from './witness.ts'

export type ResponseCacheDeps = {
  readonly options: CacheValues
  /** Reads, among others, the publication `pando_cache`. */
  readonly reader: Pick<ChangeReader, 'place' | 'subscribe'>
  /** The primary, as the role that logs in for requests. */
  readonly database: Pick<Database, 'query' | 'transaction'>
  /** What the processes of a deployment keep together. */
  readonly shared?: SharedStore
  readonly clock: Clock
  readonly observe: Observe
  /** Told where the primary's log is, often. */
  readonly onMark?: (mark: Mark) => void
}

export type ResponseCache = {
  /** Gives what is kept, or what `readNow` gives, whose rejections it passes on. */
  read(asked: CachedRead, readNow: ReadNow): Promise<Answered>
  /** Lets everything go: the schema may be another. */
  empty(because: string): void
  readonly size: KeptAnswers['size']
  /** How long ago the moment is up to which the log is known; undefined while kept answers are not used. */
  lagMs(): number | undefined
  start(): void
  stop(): Promise<void>
}

/**
 * Answers to reads, kept until the log of changes says that they may be others.
 *
 * An answer is given while every transaction that the log has told of its tables was visible to the read that made it; the log
 * must be known up to a moment that is not long ago, and as far as the caller has written. Whom it may be given to is decided
 * by the claims that the policies look at; that these were still the same ones is asked behind the read, in its own trip.
 */
export function createResponseCache(deps: ResponseCacheDeps): ResponseCache {
  const { options, observe } = deps
  const ledger = createLedger()
  const answers = createKeptAnswers({ ...deps, ledger, shared: deps.shared })
  const analyses = createAnalyses(deps.database)
  const keyOf = createKeys()
  let told = new WeakSet<Sources>()

  const empty = (because: string): void => {
    if (answers.size.answers > 0) observe({ kind: 'emptied', because })
    analyses.forget()
    answers.clear()
    told = new WeakSet()
  }
  const log = createKnownLog({
    ...deps,
    queries: deps.database,
    onTransaction: (transaction) => {
      ledger.take(transaction)
      if (transaction.notices.includes('pando.schema')) empty('the schema is another')
    },
    onRestart: empty,
    onAccessChanged: () => empty('roles, privileges or policies are others'),
    onUnknown: (cause) => observe({ kind: 'unknown', cause }),
    onMark: (mark) => deps.onMark?.(mark),
  })
  const fresh = createFreshReads({ ...deps, answers, analyses, ledger, log, onOutdated: empty })

  const analysisOf = async ({ sources, caller }: CachedRead, place: LogPlace | undefined): Promise<Analysis> => {
    if (place === undefined) return { kind: 'hindered', reason: unknownLog }
    try {
      return await analyses.find(sources, caller.role, place.feed.publications)
    } catch (cause) {
      observe({ kind: 'unknown', cause })
      return { kind: 'hindered', reason: unknownLog }
    }
  }
  const bypass = async ({ sources, caller }: CachedRead, reason: Reason, readNow: ReadNow): Promise<Answered> => {
    observe({ kind: 'read', outcome: 'bypass' })
    if (isLasting(reason) && !told.has(sources)) {
      told.add(sources)
      const { schema, name } = sources.root
      observe({ kind: 'hindered', table: `${schema}.${name}`, role: caller.role, reason: reason.text })
    }
    return { page: await readNow(), use: { kind: 'bypass', reason } }
  }
  const toHit = (asked: Keepable, kept: Kept, { outcome, ageMs }: Pick<KeptUse, 'outcome' | 'ageMs'>): Answered => {
    observe({ kind: 'read', outcome, ageMs })
    return { page: kept.page, use: { ...useOf(asked, outcome), isStored: true, tag: kept.tag, ageMs } }
  }
  const toFound = (asked: Keepable, found: Found, forward: KeptUse['forward']): Answered => {
    const { page, kept, isShared, isJoined = false } = found
    const outcome = isShared ? 'shared' : isJoined ? 'collapsed' : 'miss'
    const ageMs = isShared ? (log.ageMs() ?? 0) : 0
    observe({ kind: 'read', outcome, ...(isShared ? { ageMs } : {}) })
    const tag = kept?.tag ?? toTag(page)
    return { page, use: { ...useOf(asked, outcome), forward, isStored: kept !== undefined, tag, ageMs } }
  }
  /** `knownMs`: so long ago is the moment up to which the log is known. */
  const readKept = async (asked: Keepable, knownMs: number, readNow: ReadNow): Promise<Answered> => {
    const { maxAgeMs = Infinity, noCache } = asked.directives
    const mayBeKept = !noCache && knownMs <= maxAgeMs && fresh.isKnownTo(asked)
    if (!mayBeKept) return toFound(asked, await fresh.read(asked, readNow), noCache ? 'request' : undefined)
    const hit = answers.find(asked.key)
    if (hit !== undefined && hit !== 'stale') return toHit(asked, hit, { outcome: 'hit', ageMs: knownMs })
    await fresh.underWay(asked.key)
    const ageMs = log.ageMs()
    const made =
      ageMs !== undefined && ageMs <= maxAgeMs && fresh.isKnownTo(asked) ? answers.find(asked.key) : undefined
    if (made !== undefined && made !== 'stale') return toHit(asked, made, { outcome: 'collapsed', ageMs: ageMs! })
    return toFound(asked, await fresh.readOnce(asked, readNow), hit)
  }
  return {
    read: async (asked, readNow) => {
      const { directives, hindrance } = asked
      if (options.mode === 'asked' && directives.maxAgeMs === undefined) return { page: await readNow() }
      const { generation } = analyses
      const analysis = await analysisOf(asked, log.place())
      if (analysis.kind === 'unwanted') return { page: await readNow() }
      if (hindrance !== undefined) return bypass(asked, hindrance, readNow)
      if (analysis.kind === 'hindered') return bypass(asked, analysis.reason, readNow)
      if (directives.noStore) return bypass(asked, unwanted, readNow)
      const knownMs = log.ageMs()
      if (knownMs === undefined) return bypass(asked, unknownLog, readNow)
      return readKept({ ...asked, analysis, generation, key: keyOf(asked, analysis) }, knownMs, readNow)
    },
    empty,
    get size() {
      return answers.size
    },
    lagMs: log.ageMs,
    start: log.start,
    stop: log.stop,
  }
}

const useOf = ({ analysis: { claims } }: Keepable, outcome: KeptUse['outcome']) => ({
  kind: 'kept' as const,
  outcome,
  isCommon: claims !== 'all' && claims.size === 0,
})

const unknownLog: Reason = { code: 'log', text: 'the log of changes is not known up to now' }
const unwanted: Reason = { code: 'no_store', text: 'the request wants nothing kept' }
const isLasting = (reason: Reason): boolean => reason !== unknownLog && reason !== unwanted

/** Under one role, of callers whom the policies cannot tell apart. */
function createKeys(): (asked: CachedRead, analysis: Readable) => string {
  const claimsOf = new WeakMap<Caller, PolicyClaims>()
  return ({ shape, values, caller }, analysis) => {
    const claims = claimsOf.get(caller) ?? toPolicyClaims(caller)
    claimsOf.set(caller, claims)
    return JSON.stringify([shape, caller.role, toClaimsKey(caller, claims, analysis.claims), ...values])
  }
}
