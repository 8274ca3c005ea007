import { systemClock } from '@pando/core/clock'
import { createOperations } from '@pando/http/operations'
import { createHttpServer } from '@pando/http/server'
import type { Logger } from '@pando/telemetry/logger'
import { createMetrics } from '@pando/telemetry/metrics'
import { createRandomIds } from '@pando/telemetry/trace'
import type { ServerConfig } from '../config.ts'
import type { Workers } from './run-workers.ts'

/** The admin listener of a node with workers, when its options ask for one: health and the metrics of all. */
export async function openAdminListener(
  { server, http }: ServerConfig,
  { logger, workers }: { readonly logger: Logger; readonly workers: Workers },
): Promise<{ readonly url: string } | undefined> {
  if (server.adminPort === null) return undefined
  const own = createMetrics({ process: false })
  const app = createHttpServer({ limits: http, logger, metrics: own, clock: systemClock, ids: createRandomIds() })
  const metrics = { ...own, render: workers.page }
  app.register(createOperations({ readiness: { node: workers.ready }, metrics, metricsShown: true }))
  return { url: await app.listen({ host: server.adminHost, port: server.adminPort }) }
}
