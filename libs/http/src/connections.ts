import type { Server } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Refusal } from '@pando/core/refusal'
import type { HttpValues } from './config.ts'
import { errors } from './errors.ts'
import { isLoopback, toNetwork } from './network.ts'
import { problemMediaType, toProblem } from './problem.ts'
import { createIsProxy } from './trust-proxy.ts'

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

/** Who says nothing is sent away at one of so many moments, from this share of `headersTimeout` on. */
const [silentMoments, silentShare] = [32, 0.5]

/**
 * Keeps at most `connectionsMax` sockets, and `connectionsPerAddressMax` of one network. One more is answered 503 before
 * Node's parser sees it; Node's own `maxConnections` would close it without a word. Sockets on which nothing comes are sent
 * away a few at a time: thousands that came at once would else leave at once, come back, and hold everybody up each time.
 */
export function limitConnections(
  server: Server,
  limits: HttpValues,
  onRefused: (refusal: Refusal) => void,
): () => number {
  const accept = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  const networks = createNetworkCounts(limits)
  let open = 0
  let moment = 0
  const nextPatienceMs = (): number => {
    moment = (moment + 1) % silentMoments
    return limits.headersTimeout * (silentShare + ((1 - silentShare) * moment) / silentMoments)
  }
  const refuse = (socket: Socket, refusal: Refusal): void => {
    onRefused(refusal)
    refuseSocket(socket, refusal)
  }
  const refusalOf = (network: string | undefined): Refusal | undefined => {
    if (open >= limits.connectionsMax) return errors.tooManyConnections(limits)
    return networks.isFull(network) ? errors.tooManyConnectionsOfAddress(limits) : undefined
  }
  server.on('connection', (socket: Socket) => {
    const network = networks.of(socket)
    const refusal = refusalOf(network)
    if (refusal !== undefined) {
      socket.on('error', () => socket.destroy())
      socket.resume()
      socket.setTimeout(limits.headersTimeout, () => socket.destroy())
      return refuse(socket, refusal)
    }
    const sendAwaySilent = (): void => {
      if (socket.bytesRead === 0) refuse(socket, errors.timeout())
    }
    const silence = setTimeout(sendAwaySilent, nextPatienceMs()).unref()
    open += 1
    networks.add(network, 1)
    socket.once('close', () => {
      clearTimeout(silence)
      open -= 1
      networks.add(network, -1)
    })
    for (const listener of accept) listener.call(server, socket)
  })
  return () => open
}

/** Open sockets by network; undefined is one that is not counted. */
function createNetworkCounts({ connectionsPerAddressMax, trustProxy }: HttpValues) {
  const counts = new Map<string, number>()
  const isProxy = createIsProxy(trustProxy)
  return {
    of({ remoteAddress }: Socket): string | undefined {
      // A socket that has been closed already has no address.
      if (remoteAddress === undefined || isLoopback(remoteAddress) || isProxy(remoteAddress)) return undefined
      return toNetwork(remoteAddress)
    },
    isFull: (network: string | undefined): boolean =>
      network !== undefined && (counts.get(network) ?? 0) >= connectionsPerAddressMax,
    add(network: string | undefined, by: 1 | -1): void {
      if (network === undefined) return
      const count = (counts.get(network) ?? 0) + by
      if (count === 0) counts.delete(network)
      else counts.set(network, count)
    },
  }
}

/** Errors that Node's parser and timers raise before there is a request, by their code. */
export function clientErrorRefusal(error: { readonly code?: string }, limits: HttpValues): Refusal {
  if (error.code === 'HPE_HEADER_OVERFLOW') return errors.headersTooLarge(limits)
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return errors.timeout()
  if (error.code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return errors.bodyTooLarge(limits.bodyBytesMax)
  return errors.malformedRequest()
}
