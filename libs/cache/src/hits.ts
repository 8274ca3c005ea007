import type { Clock } from '@pando/core/clock'
import type { Lsn } from '@pando/postgres/lsn'
import { toEndOfRecord } from '@pando/postgres/replicas/commit-log'
import type { Readable } from './analysis.ts'
import type { Answered, CachedRead, KeptUse } from './cached-read.ts'
import type { CacheValues } from './config.ts'
import type { KeptAnswers } from './kept-answers.ts'
import type { KnownLog, Sight } from './known-log.ts'
import type { Observe } from './observation.ts'
import type { Kept } from './page.ts'

export type HitsDeps = {
  readonly options: Pick<CacheValues, 'staleWhileShedding'>
  readonly answers: Pick<KeptAnswers, 'find' | 'peek'>
  readonly log: Pick<KnownLog, 'look'>
  readonly clock: Clock
  readonly observe: Observe
}

export type Hit = { readonly kept: Kept; readonly ageMs: number }

/** What is kept, as far as it is right for the request. */
export type Hits = {
  /** How old is what was right at this sight of the log; undefined where that is not enough for the request. */
  ageFor(asked: CachedRead, sight: Sight | undefined): number | undefined
  find(asked: CachedRead, key: string): Hit | 'stale' | undefined
  /** What was right no longer ago than `staleWhileShedding`. */
  findStale(asked: CachedRead, key: string): Hit | undefined
  give(outcome: KeptUse['outcome'], analysis: Readable, hit: Hit): Answered
}

export function createHits({ options, answers, log, clock, observe }: HitsDeps): Hits {
  const ageFor: Hits['ageFor'] = ({ needs, directives }, sight) => {
    if (sight?.momentMs === undefined || !reaches(sight, needs)) return undefined
    const ageMs = clock.monotonic() - sight.momentMs
    return ageMs <= (directives.maxAgeMs ?? Infinity) ? ageMs : undefined
  }
  return {
    ageFor,
    find: (asked, key) => {
      const sight = log.look()
      const ageMs = ageFor(asked, sight)
      const kept = ageMs === undefined ? undefined : answers.find(key, sight!)
      return kept === undefined || kept === 'stale' ? kept : { kept, ageMs: ageMs! }
    },
    findStale: (asked, key) => {
      const kept = answers.peek(key)
      const ageMs = ageFor(asked, kept?.sight)
      return kept === undefined || ageMs === undefined || ageMs > options.staleWhileShedding
        ? undefined
        : { kept, ageMs }
    },
    give: (outcome, { claims }, { kept, ageMs }) => {
      observe({ kind: 'read', outcome, ageMs })
      const use: KeptUse = { kind: 'kept', outcome, isStored: true, tag: kept.tag, ageMs, isCommon: isCommon(claims) }
      return { page: kept.page, use }
    },
  }
}

/** Whether the log is known as far as the caller has written; that may end behind the header of a page on which nothing is yet. */
const reaches = ({ lsn }: Sight, needs: Lsn): boolean => lsn >= needs || lsn >= toEndOfRecord(needs)

/** Whether the answer is the same for everybody. */
export const isCommon = (claims: Readable['claims']): boolean => claims !== 'all' && claims.size === 0
