import { remainingMs } from '@pando/core/deadline'
import { onClientGone } from '@pando/http/client-gone'
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import { Pool } from 'undici'
import { errors, toUpstreamRefusal } from './errors.ts'
import { type Forwarding, forwardedHeaders, withoutHopByHop } from './forwarded-headers.ts'
import { upgradeOf } from './upgrades.ts'
import type { Upstream } from './upstreams.ts'
import type { Websockets } from './websockets.ts'

export type ProxyDeps = Forwarding & {
  readonly upstream: Upstream
  readonly pool: Pool
  readonly websockets: Websockets
  readonly bodyBytesMax: number
}

export type PoolLimits = { readonly connectionsMax: number; readonly connectTimeoutMs: number }

/** Keeps connections to an upstream open between requests. Ends idle ones before the other side's 72 s do. */
export function createPool({ origin }: Upstream, { connectionsMax, connectTimeoutMs }: PoolLimits): Pool {
  return new Pool(origin, {
    connections: connectionsMax,
    pipelining: 1,
    connect: { timeout: connectTimeoutMs },
    keepAliveTimeout: 30_000,
  })
}

/**
 * Passes every request below the plugin's prefix to a service on another node and streams both ways. The upstream gets
 * what is left of the deadline, the request id, the trace and who is in front; a client that hangs up aborts it.
 * 502 when it cannot be reached, 504 when the deadline passes before it begins to answer. WebSockets pass through too.
 */
export function createProxy(deps: ProxyDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
    const route = {
      config: { service: deps.upstream.name, routeClass: 'proxy' },
      handler: (request: FastifyRequest, reply: FastifyReply) => forward(deps, request, reply),
    }
    app.all('/', route)
    app.all('/*', route)
    done()
  }
}

async function forward(deps: ProxyDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { raw, state } = request
  const upgrade = upgradeOf(raw)
  if (upgrade !== undefined) return deps.websockets.pass(upgrade, { request, reply, upstream: deps.upstream })
  if (Number(raw.headers['content-length'] ?? 0) > deps.bodyBytesMax) throw errors.bodyTooLarge(deps.bodyBytesMax)
  const abort = new AbortController()
  onClientGone(reply, () => abort.abort())
  const leftMs = remainingMs(state.deadline)
  const timer = setTimeout(() => abort.abort(errors.upstreamTimeout(deps.upstream.name)), leftMs)
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
    throw toUpstreamRefusal(deps.upstream.name, error)
  } finally {
    clearTimeout(timer)
  }
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
