import type { CacheValues } from '@pando/cache/config'
import type { ResponseCache } from '@pando/cache/response-cache'
import type { Authenticate } from '@pando/core/authenticate'
import type { Catalogue } from '@pando/catalogue/catalogue'
import type { Recall } from '@pando/http/auth/authenticator'
import type { TokenRules } from '@pando/http/auth/token-rules'
import type { RunExchange } from '@pando/postgres/exchange'
import type { RunTransaction } from '@pando/postgres/pipeline/transaction'
import type { CommitLog } from '@pando/postgres/replicas/commit-log'
import type { Readiness } from '@pando/core/service'
import type { RestOptions } from './config.ts'
import type { EffectiveConfigs } from './effective-config.ts'
import type { CacheHeaderOptions } from './with-use.ts'
import type { ReplicaDeps } from './consistency.ts'

/** Everything the data API needs from outside. */
export type RestDeps = {
  readonly authenticate: Authenticate
  /** The same by rules of the database. */
  readonly authenticateBy: (rules: TokenRules) => Authenticate
  /** Role of callers that showed nothing: to them a missing privilege is 401, to others 403. */
  readonly anonRole: string
  /** One round trip, one transaction. */
  readonly run: RunExchange
  /** For the few requests that must look at a result before they commit. */
  readonly transaction: RunTransaction
  /** The picture of the database that is served now; undefined until the first one is there. */
  readonly catalogue: () => Catalogue | undefined
  readonly catalogueReadiness: Readiness
  /** Where `run` may answer reads from replicas: then it is told whose writes each must see. */
  readonly replicas?: ReplicaDeps
  /** Where answers to reads are kept. */
  readonly cache?: RestCache
  readonly options: RestOptions
  /** What becomes of the options with a catalogue. */
  readonly effectiveConfigs: EffectiveConfigs
}

export type RestCache = {
  readonly answers: Pick<ResponseCache, 'recall' | 'recallStale' | 'read'>
  /** What callers have written, so that they are never shown less. */
  readonly commits: Pick<CommitLog, 'neededBy'>
  readonly options: CacheHeaderOptions & Pick<CacheValues, 'requestBytesMax' | 'staleWhileShedding'>
  /** Who calls, as far as that costs nothing. */
  readonly recall: Recall
}
