import { remainingMs } from '@pando/core/deadline'
import { Refusal } from '@pando/core/refusal'
import { onClientGone } from '@pando/http/client-gone'
import { type RequestState, timeoutHeader } from '@pando/http/request-state'
import { formatTraceparent, type Ids } from '@pando/telemetry/trace'
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import { errors as undiciErrors, Pool } from 'undici'
import { errors } from './errors.ts'

export type Upstream = { readonly name: string; readonly origin: string }

export type ProxyDeps = {
  readonly upstream: Upstream
  readonly pool: Pool
  readonly ids: Ids
  readonly bodyBytesMax: number
  /** Whether `X-Forwarded-*` of the request is kept and added to; if not it is replaced. */
  readonly trustProxy: boolean
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

/** Headers that concern one connection only (RFC 9110 §7.6.1), and `expect`, which this hop has already answered. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
])

function withoutHopByHop(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = new Set(
    String(headers.connection ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  )
  const kept: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !hopByHop.has(name) && !named.has(name)) kept[name] = value
  return kept
}

/**
 * Passes every request below the plugin's prefix to a service on another node and streams both ways. The upstream gets
 * what is left of the deadline, the request id, the trace and who is in front; a client that hangs up aborts it.
 * 502 when it cannot be reached, 504 when the deadline passes before it begins to answer.
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

function forwardedHeaders(deps: ProxyDeps, request: FastifyRequest, leftMs: number): Record<string, string | string[]> {
  const { headers } = request.raw
  const peer = request.raw.socket.remoteAddress ?? ''
  const before = deps.trustProxy ? headers['x-forwarded-for'] : undefined
  return {
    ...withoutHopByHop(headers),
    'x-forwarded-for': before === undefined ? peer : `${String(before)}, ${peer}`,
    'x-forwarded-host': request.host,
    'x-forwarded-proto': request.protocol,
    'x-request-id': request.state.id,
    traceparent: traceparentOf(request.state, deps.ids),
    [timeoutHeader]: String(leftMs),
  }
}

function traceparentOf({ traceId, traceSampled }: RequestState, ids: Ids): string {
  return formatTraceparent({ traceId, sampled: traceSampled }, ids.spanId())
}

function toUpstreamRefusal(name: string, error: unknown): unknown {
  if (error instanceof Refusal) return error
  if (error instanceof undiciErrors.HeadersTimeoutError) return errors.upstreamTimeout(name, error)
  return errors.upstreamUnreachable(name, error)
}
