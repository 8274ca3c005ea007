import type { Metrics } from '@pando/telemetry/metrics'
import type { RunningServer } from '../start-server.ts'
import type { Order, Report } from './messages.ts'

const tell = (report: Report): void => {
  // Without its first process a worker ends anyway.
  if (process.connected) process.send!(report)
}

const readyLookMs = 100

/**
 * Makes a node that has just started the worker of the first process of this node: it ends when that says so (and, by
 * Node's own rule, when that is gone). Signals are for the first process: a terminal and some supervisors send them to all processes at once.
 */
export function obeyPrimary(server: RunningServer, metrics: Metrics, exit: (code: number) => void): void {
  const endAfter = (end: Promise<void>): void =>
    void end.then(
      () => exit(0),
      () => exit(1),
    )
  process.on('message', (order: Order) => {
    if (order.kind === 'drain') endAfter(server.drain())
    else if (order.kind === 'retire') endAfter(server.retire())
    else if (order.kind === 'count')
      void metrics.snapshot().then((snapshot) => tell({ kind: 'counted', id: order.id, metrics: snapshot }))
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  let wasReady = false
  const look = (): void => {
    const { ready: isReady } = server.ready()
    if (isReady !== wasReady) tell({ kind: 'ready', isReady })
    wasReady = isReady
  }
  look()
  setInterval(look, readyLookMs).unref()
  tell({ kind: 'listening', url: server.url })
}

/** The same metrics, but their page is that of all workers, which the first process makes. */
export function withPageOfAll(metrics: Metrics): Metrics {
  const pages = new Map<number, (page: string) => void>()
  let asked = 0
  process.on('message', (order: Order) => {
    if (order.kind !== 'page') return
    pages.get(order.id)?.(order.page)
    pages.delete(order.id)
  })
  return {
    ...metrics,
    render: () =>
      new Promise((resolve) => {
        const id = (asked += 1)
        pages.set(id, resolve)
        tell({ kind: 'page', id })
      }),
  }
}
