import { timeoutHeader } from '@pando/http/request-state'
import type { FastifyRequest } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'

/** How a request is told on to the next hop. */
export type Forwarding = {
  /** The header `traceparent` for the next hop of a request (W3C Trace Context §3.2). */
  readonly traceparent: (request: FastifyRequest) => string
}

export type Headers = Record<string, string | string[]>

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

/** The headers that may travel on; those that `Connection` names stay here. */
export function withoutHopByHop(headers: IncomingHttpHeaders): Headers {
  const named = new Set(
    String(headers.connection ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  )
  const kept: Headers = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !hopByHop.has(name) && !named.has(name)) kept[name] = value
  return kept
}

/** The headers of a request for the next hop, which has `leftMs` milliseconds for its answer. */
export function forwardedHeaders(forwarding: Forwarding, request: FastifyRequest, leftMs: number): Headers {
  return {
    ...withoutHopByHop(request.raw.headers),
    // The client and the proxies behind it that are believed. What somebody wrote in front of that ends here.
    'x-forwarded-for': (request.ips ?? [request.ip]).toReversed().join(', '),
    'x-forwarded-host': request.host,
    'x-forwarded-proto': request.protocol,
    'x-request-id': request.state.id,
    traceparent: forwarding.traceparent(request),
    [timeoutHeader]: String(leftMs),
  }
}
