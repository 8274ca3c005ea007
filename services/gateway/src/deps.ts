import type { Authenticate } from '@pando/core/authenticate'
import type { Readiness } from '@pando/core/service'
import type { HttpValues } from '@pando/http/config'
import type { HttpService } from '@pando/http/service'
import type { Metrics } from '@pando/telemetry/metrics'
import type { FastifyRequest } from 'fastify'
import type { GatewayValues } from './config.ts'

export type GatewayDeps = {
  readonly values: GatewayValues
  readonly limits: HttpValues
  readonly authenticate: Authenticate
  readonly metrics: Metrics
  /** The header `traceparent` for the next hop of a request. */
  readonly traceparent: (request: FastifyRequest) => string
  /** What runs in this process. */
  readonly services: readonly HttpService[]
  /** Further parts that `/health/ready` asks, for example the node itself. */
  readonly readiness?: Readonly<Record<string, Readiness>>
}
