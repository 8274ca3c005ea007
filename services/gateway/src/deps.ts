import type { AdmissionValues } from '@pando/admission/config'
import type { RateLimitValues } from '@pando/admission/rate-limits/config'
import type { RateStore } from '@pando/admission/rate-limits/rate-store'
import type { Authenticate } from '@pando/core/authenticate'
import type { Clock } from '@pando/core/clock'
import type { Readiness } from '@pando/core/service'
import type { Recall } from '@pando/http/auth/authenticator'
import type { HttpValues } from '@pando/http/config'
import type { HttpService } from '@pando/http/service'
import type { Logger } from '@pando/telemetry/logger'
import type { Metrics } from '@pando/telemetry/metrics'
import type { FastifyRequest } from 'fastify'
import type { GatewayValues } from './config.ts'

export type GatewayDeps = {
  readonly admission: AdmissionValues
  readonly rateLimits: RateLimitValues
  /** Where the tokens of rate limits are counted. */
  readonly rateStore: RateStore
  /** Who calls, as far as it is known without work. */
  readonly recall: Recall
  /** In [0, 1). */
  readonly random: () => number
  readonly values: GatewayValues
  readonly limits: HttpValues
  readonly authenticate: Authenticate
  readonly metrics: Metrics
  readonly logger: Logger
  readonly clock: Clock
  /** The header `traceparent` for the next hop of a request. */
  readonly traceparent: (request: FastifyRequest) => string
  /** What runs in this process. */
  readonly services: readonly HttpService[]
  /** Further parts that `/health/ready` asks, for example the node itself. */
  readonly readiness?: Readonly<Record<string, Readiness>>
}
