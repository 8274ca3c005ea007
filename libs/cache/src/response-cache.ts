import type { ChangeReader } from '@pando/changes/reader'
import type { Clock } from '@pando/core/clock'
import type { Database } from '@pando/postgres/database'
import { createAnalyses } from './analyses.ts'
import type { Analysis, Readable } from './analysis.ts'
import { createBypasses, unknownLog, unwanted } from './bypasses.ts'
import type { Answered, CachedRead, Keepable, KeptUse } from './cached-read.ts'
import type { CacheValues } from './config.ts'
import { createFreshReads, type Found } from './fresh-reads.ts'
import { createHits, isCommon } from './hits.ts'
import { createKeptAnswers, type KeptAnswers } from './kept-answers.ts'
import { createKeys } from './keys.ts'
import { createKnownLog, type Sight } from './known-log.ts'
import { createLedger } from './ledger.ts'
import type { Observe } from './observation.ts'
import { toTag } from './page.ts'
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
  /** What is kept and right, where that can be told at once; else `read` is to be asked. */
  recall(asked: CachedRead): Answered | undefined
  /**
   * What was right no longer ago than `staleWhileShedding`, where somebody would get nothing otherwise. What the caller has
   * written must be noted for as long, or asked for by `needs`.
   */
  recallStale(asked: CachedRead): Answered | undefined
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
  const { options, observe, clock } = deps
  const ledger = createLedger()
  const answers = createKeptAnswers({ ...deps, ledger, shared: deps.shared })
  const analyses = createAnalyses(deps.database)
  const keyOf = createKeys()
  const bypasses = createBypasses(observe)

  const empty = (because: string): void => {
    if (answers.size.answers > 0) observe({ kind: 'emptied', because })
    analyses.forget()
    answers.clear()
    bypasses.forget()
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
  const { ageFor, find, findStale, give } = createHits({ ...deps, answers, log })
  const fresh = createFreshReads({ ...deps, answers, analyses, ledger, log, onOutdated: empty })

  const isAsked = ({ directives }: CachedRead): boolean => options.mode !== 'asked' || directives.maxAgeMs !== undefined
  const findReadable = (asked: CachedRead): Readable | undefined => {
    const { directives, sources, caller, hindrance } = asked
    if (!isAsked(asked) || directives.noCache || directives.noStore || hindrance !== undefined) return undefined
    const analysis = analyses.recall(sources, caller.role)
    return analysis?.kind === 'readable' ? analysis : undefined
  }
  const recall = (asked: CachedRead): Answered | undefined => {
    const analysis = findReadable(asked)
    const hit = analysis && find(asked, keyOf(asked, analysis))
    return hit === undefined || hit === 'stale' ? undefined : give('hit', analysis!, hit)
  }

  const analysisOf = async ({ sources, caller }: CachedRead, sight: Sight | undefined): Promise<Analysis> => {
    if (sight === undefined) return { kind: 'hindered', reason: unknownLog }
    try {
      return await analyses.find(sources, caller.role, sight.feed.publications)
    } catch (cause) {
      observe({ kind: 'unknown', cause })
      return { kind: 'hindered', reason: unknownLog }
    }
  }
  const toFound = ({ analysis }: Keepable, found: Found, forward: KeptUse['forward']): Answered => {
    const { page, kept, isShared, isJoined = false } = found
    const outcome = isShared ? 'shared' : isJoined ? 'collapsed' : 'miss'
    const ageMs = isShared ? lagMs() : undefined
    observe({ kind: 'read', outcome, ageMs })
    const about = { isStored: kept !== undefined, tag: kept?.tag ?? toTag(page), isCommon: isCommon(analysis.claims) }
    return { page, use: { kind: 'kept', outcome, forward, ageMs: ageMs ?? 0, ...about } }
  }
  const readKept = async (asked: Keepable, readNow: ReadNow): Promise<Answered> => {
    const { analysis, key, directives } = asked
    if (directives.noCache) return toFound(asked, await fresh.read(asked, readNow), 'request')
    if (ageFor(asked, log.look()) === undefined) return toFound(asked, await fresh.read(asked, readNow), undefined)
    const hit = find(asked, key)
    if (hit !== undefined && hit !== 'stale') return give('hit', analysis, hit)
    await fresh.underWay(key)
    const made = find(asked, key)
    if (made !== undefined && made !== 'stale') return give('collapsed', analysis, made)
    return toFound(asked, await fresh.readOnce(asked, readNow), hit)
  }
  const lagMs = (): number | undefined => {
    const momentMs = log.look()?.momentMs
    return momentMs === undefined ? undefined : clock.monotonic() - momentMs
  }
  return {
    recall,
    recallStale: (asked) => {
      if (options.staleWhileShedding === 0) return undefined
      const hit = recall(asked)
      if (hit !== undefined) return hit
      const analysis = findReadable(asked)
      const stale = analysis && findStale(asked, keyOf(asked, analysis))
      return stale && give('stale', analysis!, stale)
    },
    read: async (asked, readNow) => {
      if (!isAsked(asked)) return { page: await readNow() }
      const { generation } = analyses
      const analysis = await analysisOf(asked, log.look())
      if (analysis.kind === 'unwanted') return { page: await readNow() }
      if (asked.hindrance !== undefined) return bypasses.bypass(asked, asked.hindrance, readNow)
      if (analysis.kind === 'hindered') return bypasses.bypass(asked, analysis.reason, readNow)
      if (asked.directives.noStore) return bypasses.bypass(asked, unwanted, readNow)
      if (lagMs() === undefined) return bypasses.bypass(asked, unknownLog, readNow)
      return readKept({ ...asked, analysis, generation, key: keyOf(asked, analysis) }, readNow)
    },
    empty,
    get size() {
      return answers.size
    },
    lagMs,
    start: log.start,
    stop: log.stop,
  }
}
