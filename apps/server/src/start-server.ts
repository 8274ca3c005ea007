import type { Readiness } from '@pando/core/service'
import type { KeyRing } from '@pando/http/auth/key-ring'
import type { Logger } from '@pando/telemetry/logger'
import type { FastifyInstance } from 'fastify'
import { setTimeout as sleep } from 'node:timers/promises'
import { composeNode, type Node, realWorld, type World } from './compose.ts'
import type { ServerConfig } from './config.ts'
import type { Parts } from './roles.ts'

export type RunningServer = {
  /** For example `http://127.0.0.1:54321`. */
  readonly url: string
  /** Of the admin listener, when there is one. */
  readonly adminUrl?: string
  readonly ready: Readiness
  readonly keys: KeyRing
  readonly logger: Logger
  /**
   * Ends gently: not ready, then no new connections, then wait for the running requests until `drainTimeout`, then stop.
   * Calling it again gives the same promise.
   */
  drain(): Promise<void>
  /** Ends at once: open sockets are closed. */
  stop(): Promise<void>
}

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
    const url = await node.app.listen({ host, port })
    const adminUrl = adminPort === null ? undefined : await node.admin?.listen({ host: adminHost, port: adminPort })
    node.logger.info({ url, adminUrl, services: node.services.map(({ name }) => name) }, 'listening')
    return { url, adminUrl, ready: node.ready, keys: node.keys, logger: node.logger, ...endings(node, config) }
  } catch (error) {
    await stopAll(node)
    throw error
  }
}

function endings(node: Node, { server }: ServerConfig): Pick<RunningServer, 'drain' | 'stop'> {
  let draining: Promise<void> | undefined
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= stopAll(node))
  return {
    stop,
    drain: () => (draining ??= drainNode(node, server).then(stop)),
  }
}

async function drainNode(node: Node, limits: { drainDelay: number; drainTimeout: number }): Promise<void> {
  const { logger } = node
  node.beginDrain()
  logger.info({ drainDelayMs: limits.drainDelay }, 'draining')
  await sleep(limits.drainDelay)
  const inTime = new AbortController()
  const ended = Promise.all([closeGently(node.app), ...node.services.map((service) => service.drain())])
  const isLate = await Promise.race([
    ended.then(() => false),
    sleep(limits.drainTimeout, true, { signal: inTime.signal }).catch(() => false),
  ])
  inTime.abort()
  if (isLate)
    logger.warn({ drainTimeoutMs: limits.drainTimeout }, 'requests were still running; their sockets are closed')
}

const idleCheckMs = 50

/** Node closes the sockets that rest when it is called; those that come to rest later need to be looked for. */
async function closeGently(app: FastifyInstance): Promise<void> {
  const timer = setInterval(() => app.server.closeIdleConnections(), idleCheckMs)
  try {
    await app.close()
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
  await Promise.all([...closed, ...node.services.filter(({ upgrades }) => upgrades).map((service) => service.drain())])
  await Promise.all(node.services.map((service) => service.stop()))
  await node.release()
}
