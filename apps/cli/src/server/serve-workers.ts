import { availableParallelism } from 'node:os'

import { systemClock } from '@pando/core/clock'
import type { ServerConfig } from '@pando/server/config'
import { openAdminListener } from '@pando/server/workers/admin-listener'
import { createWorkers, WorkerFailed } from '@pando/server/workers/run-workers'
import { drainOnSignals } from '@pando/server/signals'
import { bufferedOutput, createLogger } from '@pando/telemetry/logger'
import { createMetrics } from '@pando/telemetry/metrics'

/** What workers have left to do after their `drainTimeout`; a supervisor usually waits 30 s in all. */
const drainSpareMs = 4000

/**
 * The first process of a node with workers: it serves nothing itself. It starts the others, replaces those that end,
 * replaces all in turn on SIGHUP, has the admin listener, and writes the lines of all to standard output.
 */
export async function serveByWorkers(config: ServerConfig, warnings: readonly string[]): Promise<void> {
  const { server, log } = config
  const output = bufferedOutput({ bufferBytes: log.bufferBytes })
  const logger = createLogger({ level: log.level, stream: output })
  const metrics = createMetrics({ process: true })
  const workers = createWorkers({
    count: server.workers === 0 ? availableParallelism() : server.workers!,
    logger,
    output,
    metrics,
    clock: systemClock,
    drainMsMax: server.drainTimeout + drainSpareMs,
  })
  for (const warning of warnings) logger.warn(warning)
  const exit = (code: number): never => {
    output.close()
    process.exit(code)
  }
  drainOnSignals(process, workers, exit)
  process.on('SIGHUP', () => void workers.replaceAll())
  try {
    await workers.start()
  } catch (error) {
    if (!(error instanceof WorkerFailed)) throw error
    // It has said why.
    return exit(error.code)
  }
  const admin = await openAdminListener(config, { logger, workers })
  logger.info({ workers: workers.pids(), adminUrl: admin?.url, pid: process.pid }, 'all workers have started')
}
