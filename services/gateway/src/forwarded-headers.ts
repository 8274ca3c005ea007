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

/** Tells the headers that may travel on; those that `Connection` names stay here. */
export function passHeaders(
  headers: IncomingHttpHeaders,
  tell: (name: string, value: string | string[]) => void,
): void {
  const named = namedBy(headers.connection)
  // Runs twice for each request: entries of the object would cost more than the rest.
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && !hopByHop.has(name) && !named.has(name)) tell(name, value)
  }
}

/** The headers that may travel on. */
export function withoutHopByHop(headers: IncomingHttpHeaders): Headers {
  const kept: Headers = {}
  passHeaders(headers, (name, value) => void (kept[name] = value))
  return kept
}

const nothing: ReadonlySet<string> = new Set()

function namedBy(connection: string | string[] | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return nothing
  const names = String(connection).toLowerCase().split(',')
  return new Set(names.map((name) => name.trim()))
}

/** The headers of a request for the next hop, which has `leftMs` milliseconds for its answer. */
export function forwardedHeaders(forwarding: Forwarding, request: FastifyRequest, leftMs: number): Headers {
  const headers = withoutHopByHop(request.raw.headers)
  // The client and the proxies behind it that are believed. What somebody wrote in front of that ends here.
  headers['x-forwarded-for'] = request.ips === undefined ? request.ip : request.ips.toReversed().join(', ')
  headers['x-forwarded-host'] = request.host
  headers['x-forwarded-proto'] = request.protocol
  headers['x-request-id'] = request.state.id
  headers.traceparent = forwarding.traceparent(request)
  headers[timeoutHeader] = String(leftMs)
  return headers
}
