import type { FastifyInstance } from 'fastify'
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** A client that asks to leave HTTP for WebSocket on its socket. */
export type Upgrade = {
  readonly socket: Socket
  /** What came after the request already. */
  readonly head: Buffer
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>()

/** What a handler needs to answer 101; undefined for an ordinary request. */
export function upgradeOf(raw: IncomingMessage): Upgrade | undefined {
  return upgrades.get(raw)
}

/** Only GET may open a WebSocket, and it has no body (RFC 6455 §4.1). */
function asksForWebsocket({ method, headers }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  return method === 'GET' && !hasBody && headers.upgrade?.toLowerCase() === 'websocket'
}

/** Not a closure: it lives as long as the socket, and would keep request and response alive as well. */
function giveUp(this: Socket): void {
  this.destroy()
}

/**
 * Leads requests for a WebSocket that `accepts` says yes to through the same hooks and routes as any other request, so
 * that limits, keys, log lines and metrics hold for them too. A handler that wants to answer 101 finds the socket with
 * `upgradeOf`; any other answer is sent as usual, and the socket closed. For other paths, and for other protocols such
 * as h2c, the header means nothing, as RFC 9110 §7.8 allows.
 */
export function acceptUpgrades(app: FastifyInstance, accepts: (request: IncomingMessage) => boolean): void {
  Object.assign(app.server, {
    shouldUpgradeCallback: (request: IncomingMessage) => asksForWebsocket(request) && accepts(request),
  })
  app.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', giveUp)
    upgrades.set(request, { socket, head })
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.once('finish', () => {
      response.detachSocket(socket)
      if (response.statusCode !== 101) socket.destroySoon()
    })
    app.routing(request, response)
  })
}
