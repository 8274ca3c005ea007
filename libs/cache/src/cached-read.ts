import type { Caller } from '@pando/core/caller'
import type { Lsn } from '@pando/postgres/lsn'
import type { Sources } from './analyses.ts'
import type { Readable, Reason } from './analysis.ts'
import type { Directives } from './directives.ts'
import type { Page } from './page.ts'

/** One read, as the cache sees it. */
export type CachedRead = {
  /** Equal for requests that have the same answer, but for the caller's claims: role, statement, values, form, settings. */
  readonly name: string
  readonly sources: Sources
  readonly caller: Caller
  /** The place in the log that the caller must not be shown less of. */
  readonly needs: Lsn
  readonly directives: Directives
  /** Why such a read cannot be kept, as far as the request tells. */
  readonly hindrance?: Reason
}

export type Answered = {
  readonly page: Page
  /** Undefined where nothing is to be said of a cache. */
  readonly use?: Use
}

export type Use = { readonly kind: 'bypass'; readonly reason: Reason } | KeptUse

export type KeptUse = {
  readonly kind: 'kept'
  /**
   * `hit` and `shared` were kept here and in Redis, `stale` was right a while ago, `collapsed` waited for another request, `miss`
   * asked Postgres.
   */
  readonly outcome: 'hit' | 'stale' | 'shared' | 'collapsed' | 'miss'
  /** Why Postgres was asked although something was kept: it was not right any more, or the request wanted it so. */
  readonly forward?: 'stale' | 'request'
  readonly isStored: boolean
  readonly tag: string
  /** The moment of which it is known to be right is so long ago; 0 for what was read now. */
  readonly ageMs: number
  /** Equal for all callers of the role. */
  readonly isCommon: boolean
}

/** A read that may be kept, and under which key. */
export type Keepable = CachedRead & {
  readonly analysis: Readable
  /** Of the analyses, when this one was looked up. */
  readonly generation: number
  /** One text for requests that have the same answer. */
  readonly key: string
}
