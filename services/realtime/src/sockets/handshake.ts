import type { Upgrade } from '@pando/http/upgrades'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'

/** Of RFC 6455 §1.3. */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Why a request for a WebSocket cannot be one; undefined when it can (RFC 6455 §4.2.1). */
export function whyNoHandshake({ headers }: FastifyRequest): string | undefined {
  if (headers['sec-websocket-version'] !== '13') return 'Sec-WebSocket-Version must be 13.'
  const key = headers['sec-websocket-key']
  if (key === undefined || !/^[+/0-9A-Za-z]{22}==$/.test(key)) return 'Sec-WebSocket-Key must be 16 bytes in base64.'
  return undefined
}

/** Answers 101. The request is over then, and its socket the caller's. */
export function completeHandshake(request: FastifyRequest, reply: FastifyReply, { socket }: Upgrade): Socket {
  const accept = createHash('sha1')
    .update(request.headers['sec-websocket-key']! + acceptSuffix)
    .digest('base64')
  reply.hijack()
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-accept': accept }
  reply.raw.writeHead(101, { ...(reply.getHeaders() as Record<string, string>), ...upgrade }).end()
  return socket
}
