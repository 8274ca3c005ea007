import type { Server } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Refusal } from '@pando/core/refusal'
import type { HttpValues } from './config.ts'
import { errors } from './errors.ts'
import { problemMediaType, toProblem } from './problem.ts'

/** Writes a whole answer to a socket that has no request yet, and closes it. */
export function refuseSocket(socket: Socket, refusal: Refusal): void {
  const body = JSON.stringify(toProblem(refusal))
  const headers = {
    'content-type': problemMediaType,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...refusal.headers,
  }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${head.join('')}\r\n${body}`)
}

/**
 * Keeps at most `connectionsMax` sockets. One more is answered 503 before Node's parser sees it; Node's own
 * `maxConnections` would close it without a word.
 */
export function limitConnections(server: Server, limits: HttpValues, onRefused: () => void): () => number {
  const accept = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  let open = 0
  server.on('connection', (socket: Socket) => {
    if (open >= limits.connectionsMax) {
      onRefused()
      socket.on('error', () => socket.destroy())
      socket.resume()
      socket.setTimeout(limits.headersTimeout, () => socket.destroy())
      refuseSocket(socket, errors.tooManyConnections(limits))
      return
    }
    open += 1
    socket.once('close', () => (open -= 1))
    for (const listener of accept) listener.call(server, socket)
  })
  return () => open
}

/** Errors that Node's parser and timers raise before there is a request, by their code. */
export function clientErrorRefusal(error: { readonly code?: string }, limits: HttpValues): Refusal {
  if (error.code === 'HPE_HEADER_OVERFLOW') return errors.headersTooLarge(limits)
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return errors.timeout()
  if (error.code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return errors.bodyTooLarge(limits.bodyBytesMax)
  return errors.malformedRequest()
}
