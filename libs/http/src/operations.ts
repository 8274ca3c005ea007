import type { Readiness } from '@pando/core/service'
import type { Metrics } from '@pando/telemetry/metrics'
import type { FastifyPluginCallback } from 'fastify'

export type OperationsDeps = {
  /** By the name of the part that answers. */
  readonly readiness: Readonly<Record<string, Readiness>>
  readonly metrics: Metrics
  /** Whether `/metrics` is here; it tells much about an installation, so a public listener leaves it out. */
  readonly metricsShown: boolean
}

/**
 * What orchestrators and Prometheus ask: `/health/live` (the process answers), `/health/ready` (200 or 503, with the
 * reason of each part that is not ready) and `/metrics`.
 */
export function createOperations({ readiness, metrics, metricsShown }: OperationsDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    const config = { service: 'operations' }
    app.get('/health/live', { config }, () => ({ status: 'live' }))
    app.get('/health/ready', { config }, (_request, reply) => {
      const parts = Object.fromEntries(Object.entries(readiness).map(([name, isReady]) => [name, isReady()]))
      const ready = Object.values(parts).every((part) => part.ready)
      return reply
        .code(ready ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({ status: ready ? 'ready' : 'not ready', parts })
    })
    if (metricsShown)
      app.get('/metrics', { config }, async (_request, reply) => {
        reply.header('content-type', metrics.contentType)
        return metrics.render()
      })
    done()
  }
}
