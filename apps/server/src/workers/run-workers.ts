import type { Clock } from '@pando/core/clock'
import type { Readiness } from '@pando/core/service'
import { mergeMetrics } from '@pando/telemetry/merge-metrics'
import type { Logger, LogOutput } from '@pando/telemetry/logger'
import type { Metrics, MetricSnapshot } from '@pando/telemetry/metrics'
import cluster from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ending, startWorker, type WorkerProcess } from './start-worker.ts'

export type WorkersDeps = {
  readonly count: number
  readonly logger: Logger
  /** Where the lines of all workers go. */
  readonly output: LogOutput
  readonly metrics: Metrics
  readonly clock: Clock
  /** From the order to end to the end of the last worker; those that are left are killed. */
  readonly drainMsMax: number
}

/** The processes that share the port of a node. */
export type Workers = {
  /** Starts all; resolves to the address. Rejects with `WorkerFailed` when the first one does not come to listen. */
  start(): Promise<string>
  /** Starts a new process in the place of each, one after the other; each old one leaves when its successor is ready. */
  replaceAll(): Promise<void>
  drain(): Promise<void>
  readonly ready: Readiness
  readonly pids: () => readonly number[]
  /** The metrics of all, each series with the label `worker`. */
  page(): Promise<string>
}

/** A worker that ended before it listened. It has said why, on standard error. */
export class WorkerFailed extends Error {
  readonly code: number

  constructor({ code, signal }: Ending) {
    super(`A worker ended before it listened (${signal ?? code}).`)
    this.code = code ?? 1
  }
}

/** A place among the workers; the processes in it change. */
type Place = { readonly number: number; worker: WorkerProcess; failures: number; startedMs: number }

/** A successor that is not ready by then is given up. */
const readyMsMax = 60_000
const lookMs = 50
/** A worker that ends is followed by another one after this; after each that does not last, after twice as long. */
const restartMs = 100
const restartMsMax = 10_000
/** Who has run for so long did not end because of how it was started. */
const lastingMs = 10_000

export function createWorkers(deps: WorkersDeps): Workers {
  const { count, logger, output, metrics, clock } = deps
  const places: Place[] = []
  const retiring = new Set<WorkerProcess>()
  const restarts = metrics
    .counter({ name: 'node_worker_restarts_total', help: 'Workers that ended by themselves.', labels: [] })
    .series({})
  metrics.gauge({
    name: 'node_workers',
    help: 'Workers that are ready, and that finish what they have begun.',
    read: () => [
      { labels: { state: 'ready' }, value: places.filter(({ worker }) => worker.isReady()).length },
      { labels: { state: 'retiring' }, value: retiring.size },
    ],
  })
  let draining: Promise<void> | undefined
  let replacing: Promise<void> = Promise.resolve()
  // Connections are dealt out in turn: of several processes that all accept, the kernel prefers the last that slept.
  cluster.schedulingPolicy = cluster.SCHED_RR
  cluster.setupPrimary({ args: process.argv.slice(2), silent: true, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })

  const launch = (): WorkerProcess => startWorker(output, page)

  function settle(place: Place, worker: WorkerProcess): void {
    Object.assign(place, { worker, startedMs: clock.monotonic() })
    void succeed(place, worker)
  }

  /** Waits for the end of a worker; one that ended by itself is followed by another one in its place. */
  async function succeed(place: Place, worker: WorkerProcess): Promise<void> {
    const isMissing = (): boolean => place.worker === worker && draining === undefined
    const { code, signal } = await worker.ended
    if (!isMissing()) return
    place.failures = clock.monotonic() - place.startedMs > lastingMs ? 0 : place.failures + 1
    const waitMs = Math.min(restartMsMax, restartMs * 2 ** place.failures)
    restarts.add()
    const facts = { worker: place.number, pid: worker.pid, code, signal, waitMs }
    logger.error(facts, 'a worker ended; another one follows')
    await sleep(waitMs)
    if (isMissing()) settle(place, launch())
  }

  /** Resolves when the worker takes requests, or rejects when it does not come to that. */
  async function becomeReady(worker: WorkerProcess): Promise<void> {
    const limit = AbortSignal.timeout(readyMsMax)
    const failed = worker.ended.then((ending) => Promise.reject(new WorkerFailed(ending)))
    failed.catch(() => undefined)
    while (!worker.isReady()) {
      if (limit.aborted) throw new Error(`it was not ready after ${readyMsMax} ms`)
      await Promise.race([sleep(lookMs), failed])
    }
  }

  async function replace(place: Place): Promise<void> {
    const successor = launch()
    try {
      await becomeReady(successor)
    } catch (error) {
      successor.kill()
      throw error
    }
    const old = place.worker
    settle(place, successor)
    retiring.add(old)
    void old.ended.then(() => retiring.delete(old))
    old.end('retire')
    logger.info({ worker: place.number, pid: successor.pid, oldPid: old.pid }, 'a worker has a successor')
  }

  async function replaceInTurn(): Promise<void> {
    for (const place of places) {
      if (draining !== undefined) return
      try {
        await replace(place)
      } catch (error) {
        logger.error({ worker: place.number, err: error }, 'a new worker did not start; those that run stay')
        return
      }
    }
  }

  async function end(): Promise<void> {
    const all = [...places.map(({ worker }) => worker), ...retiring]
    for (const worker of all) worker.end('drain')
    const limit = setTimeout(() => {
      logger.warn({ drainMsMax: deps.drainMsMax }, 'workers were still running; they are killed')
      for (const worker of all) worker.kill()
    }, deps.drainMsMax)
    await Promise.all(all.map(({ ended }) => ended))
    clearTimeout(limit)
  }

  async function page(): Promise<string> {
    const parts = await Promise.all(
      places.map(async ({ number, worker }) => [String(number), await worker.count()] as const),
    )
    const counted = parts.filter((part): part is [string, readonly MetricSnapshot[]] => part[1] !== undefined)
    return mergeMetrics('worker', new Map([['primary', await metrics.snapshot()], ...counted]))
  }

  return {
    async start() {
      const first = launch()
      const url = await Promise.race([
        first.listening,
        first.ended.then((ending) => Promise.reject(new WorkerFailed(ending))),
      ])
      // The others follow when it is known that one can start: a mistake is told once.
      const others = Array.from({ length: count - 1 }, launch)
      for (const [index, worker] of [first, ...others].entries()) {
        const place: Place = { number: index + 1, worker, failures: 0, startedMs: 0 }
        places.push(place)
        settle(place, worker)
      }
      await Promise.all(others.map((worker) => Promise.race([worker.listening, worker.ended])))
      return url
    },
    replaceAll: () => (replacing = replacing.then(replaceInTurn)),
    drain: () => (draining ??= end()),
    ready: () => {
      if (draining !== undefined) return { ready: false, reason: 'draining' }
      const isReady = places.some(({ worker }) => worker.isReady())
      return isReady ? { ready: true } : { ready: false, reason: 'no worker is ready' }
    },
    pids: () => places.map(({ worker }) => worker.pid),
    page,
  }
}
