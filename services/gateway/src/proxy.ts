import { remainingMs } from '@pando/core/deadline'
import { onClientGone } from '@pando/http/client-gone'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import type { buildConnector, Pool } from 'undici'
import { errors, toUpstreamRefusal } from './errors.ts'
import { type Forwarding, forwardedHeaders, withoutHopByHop } from './forwarded-headers.ts'
import { upgradeOf } from '@pando/http/upgrades'
import type { Upstream } from './upstreams.ts'
import type { Websockets } from './websockets.ts'

export type ProxyDeps = Forwarding & {
  readonly upstream: Upstream
  readonly connectionsMax: number
  readonly connectTimeoutMs: number
  readonly websockets: Websockets
  readonly bodyBytesMax: number
}

/** Ways to the upstream: connections that are kept between requests, and how one of its own is made for a WebSocket. */
type Ways = { readonly pool: Pool; readonly connect: buildConnector.connector }

/**
 * Passes every request below the plugin's prefix to a service on another node and streams both ways. The upstream gets
 * what is left of the deadline, the request id, the trace and who is in front; a client that hangs up aborts it.
 * 502 when it cannot be reached, 504 when the deadline passes before it begins to answer. WebSockets pass through too.
 */
export function createProxy(deps: ProxyDeps): FastifyPluginAsync {
  return async (app) => {
    const ways = await openWays(deps)
    app.addHook('onClose', () => ways.pool.destroy())
    const forwarding = { ...deps, ...ways }
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
    const route = {
      config: { service: deps.upstream.name, routeClass: 'proxy' },
      handler: (request: FastifyRequest, reply: FastifyReply) => forward(forwarding, request, reply),
    }
    app.all('/', route)
    app.all('/*', route)
  }
}

async function openWays({ upstream, connectionsMax, connectTimeoutMs: timeout }: ProxyDeps): Promise<Ways> {
  // Loaded by nodes that forward, and by no others: it takes 5 MB.
  const { buildConnector, Pool } = await import('undici')
  return {
    // Ends idle connections before the other side's 72 s do.
    pool: new Pool(upstream.origin, {
      connections: connectionsMax,
      pipelining: 1,
      connect: { timeout },
      keepAliveTimeout: 30_000,
    }),
    connect: buildConnector({ timeout, allowH2: false }),
  }
}

async function forward(deps: ProxyDeps & Ways, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { upstream, connect } = deps
  const { raw, state } = request
  const upgrade = upgradeOf(raw)
  if (upgrade !== undefined) return deps.websockets.pass(upgrade, { request, reply, upstream, connect })
  if (Number(raw.headers['content-length'] ?? 0) > deps.bodyBytesMax) throw errors.bodyTooLarge(deps.bodyBytesMax)
  const abort = new AbortController()
  onClientGone(reply, () => abort.abort())
  const leftMs = remainingMs(state.deadline)
  const timer = setTimeout(() => abort.abort(errors.upstreamTimeout(upstream.name)), leftMs)
  try {
    const answer = await deps.pool.request({
      method: raw.method as 'GET',
      path: raw.url!,
      headers: forwardedHeaders(deps, request, leftMs),
      body: hasBody(raw.headers) ? raw : null,
      signal: abort.signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    return reply.code(answer.statusCode).headers(withoutHopByHop(answer.headers)).send(answer.body)
  } catch (error) {
    throw toUpstreamRefusal(upstream.name, error)
  } finally {
    clearTimeout(timer)
  }
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
