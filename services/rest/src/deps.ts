import type { Authenticate } from '@pando/core/authenticate'
import type { Catalogue } from '@pando/catalogue/catalogue'
import type { RunExchange } from '@pando/postgres/exchange'
import type { RunTransaction } from '@pando/postgres/pipeline/transaction'
import type { Readiness } from '@pando/core/service'
import type { RestOptions } from './config.ts'
import type { ReplicaDeps } from './consistency.ts'

/** Everything the data API needs from outside. */
export type RestDeps = {
  readonly authenticate: Authenticate
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
  readonly options: RestOptions
}
