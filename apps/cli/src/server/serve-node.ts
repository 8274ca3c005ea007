import { createFactories } from '@pando/server/factories'
import { realWorld } from '@pando/server/compose'
import type { World } from '@pando/server/compose'
import type { ServerConfig } from '@pando/server/config'
import { toPostgresAddresses } from '@pando/server/database-options'
import { isGatewayOnly } from '@pando/server/roles'
import { drainOnSignals } from '@pando/server/signals'
import { startServer } from '@pando/server/start-server'
import type { RunningServer } from '@pando/server/start-server'
import { obeyPrimary, withPageOfAll } from '@pando/server/workers/obey-primary'
import { createMetrics } from '@pando/telemetry/metrics'

import { explainingErrors } from '../database/explain-errors.ts'
import { portInUse } from '../dev/port-holder.ts'
import { Failure } from '../failure.ts'
import { explainMistakes } from './read-config.ts'

/** The whole node is this process. */
export async function serveAlone(config: ServerConfig, warnings: readonly string[]): Promise<void> {
  const server = await startNode(config, realWorld(config))
  for (const warning of warnings) server.logger.warn(warning)
  drainOnSignals(process, server, (code) => process.exit(code))
}

/** One of several processes that share the port. The first one has the admin listener, with the metrics of all. */
export async function serveAsWorker(config: ServerConfig): Promise<void> {
  const metrics = createMetrics({ process: true })
  const world = { ...realWorld(config), metrics: withPageOfAll(metrics) }
  const own = { ...config, server: { ...config.server, adminPort: null } }
  const server = await startNode(own, world).catch((error: unknown) => {
    // It would keep this process from ending.
    process.channel?.unref()
    throw error
  })
  obeyPrimary(server, metrics, (code) => process.exit(code))
}

async function startNode(config: ServerConfig, world: World): Promise<RunningServer> {
  try {
    if (isGatewayOnly(config.server.services)) return await startServer(config, { services: {} }, world)
    const parts = createFactories(toPostgresAddresses(config.database))
    return await explainingErrors(config.database.url!.reveal(), () => startServer(config, parts, world))
  } catch (cause) {
    const error = explainMistakes(cause)
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw await portInUse(config.server.port, '--port')
    if (error instanceof Failure) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new Failure('fault', `The node did not start: ${message}`, { cause: error })
  }
}
