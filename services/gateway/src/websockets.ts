import { remainingMs } from '@pando/core/deadline'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { errors, isUnreachable, toUpstreamRefusal } from './errors.ts'
import { type Forwarding, forwardedHeaders, type Headers, withoutHopByHop } from './forwarded-headers.ts'
import type { Upgrade } from '@pando/http/upgrades'
import type { Upstream } from './upstreams/create-upstream.ts'
import type { Address } from './upstreams/open-address.ts'
import { joinPair, type Pair } from './websocket-pair.ts'

export type WebsocketDeps = Forwarding & {
  readonly openMax: number
  /** A pair of sockets on which nothing moves in either direction for this long is closed. */
  readonly idleTimeoutMs: number
}

/** A request for a WebSocket, and where it goes. */
type Passage = { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly upstream: Upstream }

export type Websockets = {
  /** Opens the same WebSocket at the upstream and joins the two. Throws when it cannot. */
  pass(upgrade: Upgrade, passage: Passage): Promise<FastifyReply>
  /** How many are open or about to be. */
  open(): number
  /** Tells all to come back (1012) over a time, evenly; resolves when all have been told. */
  drain(spreadMs: number): Promise<void>
  /** The same at once, after what is on its way has been sent; from now on there are no new ones. */
  close(): void
}

/** WebSockets between clients and services on other nodes. After the handshake bytes pass as they are: nothing is collected. */
export function createWebsockets(deps: WebsocketDeps): Websockets {
  const pairs = new Set<Pair>()
  const ending = new AbortController()
  let pending = 0

  async function pass(upgrade: Upgrade, passage: Passage): Promise<FastifyReply> {
    const { reply, upstream } = passage
    ending.signal.throwIfAborted()
    if (pairs.size + pending >= deps.openMax) throw errors.tooManyWebsockets(deps.openMax)
    pending += 1
    try {
      const { response, upgraded, address } = await openAnywhere(deps, passage, {
        client: upgrade.socket,
        ending: ending.signal,
      })
      if (upgraded === undefined)
        return reply.code(response.statusCode!).headers(withoutHopByHop(response.headers)).send(response)
      switchProtocols(reply, response)
      keep(joinPair({ client: upgrade, upstream: upgraded, idleTimeoutMs: deps.idleTimeoutMs }), address)
      return reply
    } catch (error) {
      throw toUpstreamRefusal(upstream.name, error)
    } finally {
      pending -= 1
    }
  }

  function keep(pair: Pair, { running }: Address): void {
    if (pair.client.destroyed) return
    pairs.add(pair)
    running.sockets += 1
    pair.client.once('close', () => {
      pairs.delete(pair)
      running.sockets -= 1
    })
  }

  return {
    pass,
    open: () => pairs.size + pending,
    async drain(spreadMs) {
      ending.abort(errors.ending())
      const stepMs = spreadMs / Math.max(1, pairs.size)
      for (const pair of pairs) {
        pair.part()
        if (stepMs > 0) await sleep(stepMs)
      }
    },
    close() {
      ending.abort(errors.ending())
      for (const pair of pairs) pair.part()
    },
  }
}

/** What the upstream answered, and its socket if that was 101. */
type Answer = { readonly response: IncomingMessage; readonly upgraded?: Upgrade }
type Opened = Answer & { readonly address: Address }

/** What may end a handshake before its time. */
type Interruption = { readonly client: Socket; readonly ending: AbortSignal }

/**
 * Asks the upstream for the WebSocket, at the address with the fewest; at others while no connection can be made.
 * Rejects when none can be reached, or not before the request's deadline.
 */
async function openAnywhere(deps: WebsocketDeps, passage: Passage, interruption: Interruption): Promise<Opened> {
  const { upstream, request } = passage
  const tried: Address[] = []
  let failure: unknown
  for (;;) {
    const address = upstream.choose('sockets', tried)
    if (address === undefined) throw failure ?? errors.upstreamUnreachable(upstream.name)
    try {
      return { ...(await openAt(deps, { ...passage, address }, interruption)), address }
    } catch (error) {
      if (!isUnreachable(error) || remainingMs(request.state.deadline) === 0) throw error
      upstream.report(address, 'unreachable')
      failure = error
      tried.push(address)
    }
  }
}

type Visit = Passage & { readonly address: Address }

async function openAt(deps: WebsocketDeps, visit: Visit, { client, ending }: Interruption): Promise<Answer> {
  const { request, upstream } = visit
  const leftMs = remainingMs(request.state.deadline)
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(errors.upstreamTimeout(upstream.name)), leftMs)
  const stopWatching = onHangUp(client, () => abort.abort())
  try {
    const headers = { ...forwardedHeaders(deps, request, leftMs), connection: 'Upgrade', upgrade: 'websocket' }
    return await answered(send(visit, headers), AbortSignal.any([abort.signal, ending]))
  } finally {
    clearTimeout(timer)
    stopWatching()
  }
}

/** Nobody reads the socket during the handshake, so its end shows only as readable with nothing to read. */
function onHangUp(client: Socket, callback: () => void): () => void {
  const look = (): void => {
    if (client.readableLength === 0) callback()
  }
  client.on('readable', look).on('close', callback)
  return () => client.off('readable', look).off('close', callback)
}

function send({ request, address: { place, connect } }: Visit, headers: Headers): ClientRequest {
  const { protocol, hostname, host, port } = new URL(place.origin)
  const send = protocol === 'https:' ? requestHttps : requestHttp
  return send(place.origin, {
    path: request.raw.url,
    headers,
    agent: false,
    createConnection: (_options, connected) => {
      connect({ hostname, host, port, protocol }, (error, socket) => connected(error, socket!))
      return undefined
    },
  }).end()
}

async function answered(sent: ClientRequest, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const abort = (): void => void sent.destroy(signal.reason as Error)
  signal.addEventListener('abort', abort)
  sent.once('response', (response) => resolve({ response }))
  sent.once('upgrade', (response, socket: Socket, head) => {
    socket.on('error', () => socket.destroy())
    if (response.headers.upgrade?.toLowerCase() === 'websocket')
      return resolve({ response, upgraded: { socket, head } })
    socket.destroy()
    reject(new Error(`it switched to ${response.headers.upgrade}`))
  })
  sent.on('error', reject)
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Sends 101 with what the upstream agreed to; the request is over then, and the socket free. */
function switchProtocols(reply: FastifyReply, { headers }: IncomingMessage): void {
  reply.hijack()
  const own = reply.getHeaders() as OutgoingHttpHeaders
  reply.raw.writeHead(101, { ...own, ...withoutHopByHop(headers), connection: 'Upgrade', upgrade: 'websocket' }).end()
}
