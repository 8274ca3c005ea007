import type { LogOutput } from '@pando/telemetry/logger'
import type { MetricSnapshot } from '@pando/telemetry/metrics'
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { joinLines } from './join-lines.ts'
import type { Order, Report } from './messages.ts'

/** How a process ended. */
export type Ending = { readonly code: number | null; readonly signal: string | null }

/** A process of this node, as its first process sees it. */
export type WorkerProcess = {
  readonly pid: number
  /** Resolves when it takes connections, to the address; never when it ends before. */
  readonly listening: Promise<string>
  readonly ended: Promise<Ending>
  readonly isReady: () => boolean
  /** Has it drained or retired; one that does not listen yet hears no orders and is killed, for it serves nobody. */
  end(how: 'drain' | 'retire'): void
  /** What it has counted; undefined when it does not say so in time. */
  count(): Promise<readonly MetricSnapshot[] | undefined>
  kill(): void
}

/** A worker that does not say what it has counted for this long is left out of the page. */
const countMsMax = 1000

/** `onPageWanted` is asked for the metrics of all workers when this one is. */
export function startWorker(output: LogOutput, onPageWanted: () => Promise<string>): WorkerProcess {
  const worker: Worker = cluster.fork()
  const listening = Promise.withResolvers<string>()
  const counts = new Map<number, (metrics: readonly MetricSnapshot[]) => void>()
  let counted = 0
  let isListening = false
  let isReady = false

  const order = (given: Order): void => {
    if (worker.isConnected()) worker.send(given)
  }
  worker.on('message', (report: Report) => {
    if (report.kind === 'listening') {
      isListening = true
      listening.resolve(report.url)
    } else if (report.kind === 'ready') isReady = report.isReady
    else if (report.kind === 'counted') counts.get(report.id)?.(report.metrics)
    else void onPageWanted().then((page) => order({ kind: 'page', id: report.id, page }))
  })
  // A message that it cannot get any more; its end is told by `exit`.
  worker.on('error', () => undefined)
  const lines = joinLines(output.writeLater)
  worker.process.stdout?.setEncoding('utf8').on('data', lines.push).on('end', lines.end)
  const ended = new Promise<Ending>((resolve) => {
    worker.process.once('close', (code, signal) => {
      isReady = false
      resolve({ code, signal })
    })
  })

  async function count(): Promise<readonly MetricSnapshot[] | undefined> {
    const id = (counted += 1)
    const answer = new Promise<readonly MetricSnapshot[]>((resolve) => counts.set(id, resolve))
    order({ kind: 'count', id })
    try {
      return await Promise.race([answer, sleep(countMsMax, undefined, { ref: false })])
    } finally {
      counts.delete(id)
    }
  }

  const kill = (): void => void worker.process.kill('SIGKILL')

  return {
    pid: worker.process.pid ?? 0,
    listening: listening.promise,
    ended,
    isReady: () => isReady,
    end: (how) => (isListening ? order({ kind: how }) : kill()),
    count,
    kill,
  }
}
