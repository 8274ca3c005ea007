import type { Readiness } from '@pando/core/service'
import type { KeyRing } from '@pando/http/auth/key-ring'
import type { Logger } from '@pando/telemetry/logger'
import type { FastifyInstance } from 'fastify'
import { Server as NetServer } from 'node:net'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { composeNode, type Node, realWorld, type World } from './compose.ts'
import type { ServerConfig } from './config.ts'
import type { Parts } from './roles.ts'
import { letYoungGenerationGrow } from './young-generation.ts'

export type RunningServer = {
  /** For example `http://127.0.0.1:54321`. */
  readonly url: string
  /** Of the admin listener, when there is one. */
  readonly adminUrl?: string
  readonly ready: Readiness
  readonly keys: KeyRing
  readonly logger: Logger
  /**
   * Ends gently, within `drainTimeout`: not ready, after `drainDelay` no new connections, then none that rests, WebSockets
   * are told to come back, running requests end, then stop. Calling it again gives the same promise.
   */
  drain(): Promise<void>
  /**
   * The same for a process in whose place another one serves at the same address: it stays ready, for the load balancer
   * is not to leave, and takes no new connections from now on.
   */
  retire(): Promise<void>
  /** Ends at once: open sockets are closed. */
  stop(): Promise<void>
}

/** Connections that wait to be taken: when a node is back its sockets all come at once. The system may allow fewer. */
const backlog = 4096

/** Starts a node: services first, then the listeners, so that the first request finds everything in place. */
export async function startServer(
  config: ServerConfig,
  parts: Parts,
  world: World = realWorld(config),
): Promise<RunningServer> {
  const node = composeNode(config, parts, world)
  try {
    await node.prepare()
    for (const service of node.services) await service.start()
    const { host, port, adminHost, adminPort } = config.server
    const url = await node.app.listen({ host, port, backlog })
    const adminUrl = adminPort === null ? undefined : await node.admin?.listen({ host: adminHost, port: adminPort })
    letYoungGenerationGrow()
    node.logger.info({ url, adminUrl, services: node.services.map(({ name }) => name) }, 'listening')
    return { url, adminUrl, ready: node.ready, keys: node.keys, logger: node.logger, ...endings(node, config) }
  } catch (error) {
    await stopAll(node)
    throw error
  }
}

type Limits = ServerConfig['server']

/** What a service has left to free when its requests have ended takes no longer. */
const stopMsMax = 3000

function endings(node: Node, { server }: ServerConfig): Pick<RunningServer, 'drain' | 'retire' | 'stop'> {
  let stopping: Promise<void> | undefined
  let draining: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= stopAll(node))
  async function drainAndStop(isSucceeded: boolean): Promise<void> {
    await drainNode(node, server, isSucceeded)
    await atMost(stopMsMax, stop())
  }
  const end = (isSucceeded: boolean): Promise<void> => {
    if (!isSucceeded) node.leave()
    return (draining ??= drainAndStop(isSucceeded))
  }
  return { stop, drain: () => end(false), retire: () => end(true) }
}

async function drainNode(node: Node, limits: Limits, isSucceeded: boolean): Promise<void> {
  const { logger } = node
  const { drainDelay, drainTimeout } = limits
  logger.info({ drainDelayMs: drainDelay }, 'draining')
  const isInTime = await atMost(drainTimeout, finish(node, limits, isSucceeded))
  if (!isInTime) logger.warn({ drainTimeoutMs: drainTimeout }, 'requests were still running; their sockets are closed')
}

/** Longer than load balancers let a connection rest, so that none of them sends a request on one that is just closed. */
const restMsMax = 2000

async function finish(node: Node, { drainDelay, drainSpread }: Limits, isSucceeded: boolean): Promise<void> {
  // Who is still led here need not connect for each request: a connection that is on its way when the listener closes is
  // lost, and a write with it.
  if (!isSucceeded) await sleep(drainDelay)
  // After a timer come connections that have waited to be taken, and then this.
  await setImmediate()
  const closed = stopListening(node.app)
  // Whoever is connected gets the word to connect anew with the next answer; after this only those are left that have
  // not asked for anything for so long.
  node.sendAway()
  await atMost(Math.min(restMsMax, drainDelay), closed)
  const services = node.services.map(({ drain }) => drain(drainSpread))
  await Promise.all([closeGently(node.app, closed), node.drainGateway(drainSpread), ...services])
}

/** Whether it has ended after `limitMs`; it is not waited for any longer. */
async function atMost(limitMs: number, work: Promise<void>): Promise<boolean> {
  const ended = new AbortController()
  const isInTime = await Promise.race([
    work.then(() => true),
    sleep(limitMs, false, { signal: ended.signal }).catch(() => true),
  ])
  ended.abort()
  return isInTime
}

const idleCheckMs = 50

/**
 * No new connections; resolves when the last one is closed. Those that rest stay open, which they would not if the HTTP
 * server were closed.
 */
function stopListening({ server }: FastifyInstance): Promise<void> {
  return new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve()))
}

/** Closes the connections that rest, at once, and others when they come to rest, until the listener has `closed`. */
async function closeGently(app: FastifyInstance, closed: Promise<void>): Promise<void> {
  const close = (): void => app.server.closeIdleConnections()
  close()
  const timer = setInterval(close, idleCheckMs)
  try {
    await closed
  } finally {
    clearInterval(timer)
  }
}

async function stopAll(node: Node): Promise<void> {
  const closed = [node.app, node.admin].map((app) => {
    const closing = app?.close()
    app?.server.closeAllConnections()
    return closing
  })
  // Sockets that have left HTTP are their service's to close; until then the listener does not end.
  const speakers = node.services.filter(({ upgrades }) => upgrades)
  await Promise.all([...closed, node.drainGateway(0), ...speakers.map(({ drain }) => drain())])
  await Promise.all(node.services.map((service) => service.stop()))
  await node.release()
}
